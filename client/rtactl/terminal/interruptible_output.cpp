// SPDX-License-Identifier: MIT
#include "rtactl/terminal/interruptible_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace rta::rtactl {

namespace {

/// So much is gathered before it is written unasked.
constexpr std::size_t kMostGathered = std::size_t{64} * 1024;
/// After the end was asked for: how long a terminal may take to be given back as it was.
constexpr int kLastMs = 100;

/// O_NONBLOCK on the descriptor itself would be O_NONBLOCK for everybody who has the same pipe or terminal.
int open_anew(int descriptor) {
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) return -1;
    if (!S_ISFIFO(status.st_mode) && ::isatty(descriptor) != 1) return -1;
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

PatientOutput::PatientOutput(std::ostream& out, int descriptor, Interrupts& interrupts)
    : out_{out}, interrupts_{interrupts}, descriptor_{descriptor} {
    if (descriptor < 0) return;
    out_.flush();
    if (!out_) return;
    own_ = open_anew(descriptor);
    before_ = out_.rdbuf(this);
}

PatientOutput::~PatientOutput() {
    if (before_ == nullptr) return;
    out_.flush();
    out_.rdbuf(before_);  // and all is well again, as far as the stream knows
    if (failed_) out_.setstate(std::ios::badbit);
    if (own_ >= 0) ::close(own_);
}

PatientOutput::int_type PatientOutput::overflow(int_type character) {
    if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
    const char text = traits_type::to_char_type(character);
    return xsputn(&text, 1) == 1 ? character : traits_type::eof();
}

std::streamsize PatientOutput::xsputn(const char* text, std::streamsize count) {
    if (failed_) return 0;
    text_.append(text, static_cast<std::size_t>(count));
    if (text_.size() >= kMostGathered && sync() != 0) return 0;
    return count;
}

int PatientOutput::sync() {
    if (!failed_ && !write_all(text_)) failed_ = true;
    text_.clear();
    return failed_ ? -1 : 0;
}

bool PatientOutput::write_all(std::string_view text) {
    const int descriptor = own_ >= 0 ? own_ : descriptor_;
    while (!text.empty()) {
        // Whoever asked for the end does not want to read the rest.
        if (!wait_until_writable()) return true;
        // A pipe that is ready takes so much at once.
        const ssize_t written = ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// False: the end was asked for first.
bool PatientOutput::wait_until_writable() {
    while (true) {
        const bool ending = interrupts_.end_has_come();
        std::array<pollfd, 2> ready{
            pollfd{.fd = own_ >= 0 ? own_ : descriptor_, .events = POLLOUT, .revents = 0},
            pollfd{.fd = ending ? -1 : interrupts_.descriptor(), .events = POLLIN, .revents = 0}};
        const int count = ::poll(ready.data(), ready.size(), ending ? kLastMs : -1);
        if (ready[0].revents != 0) return true;
        if (count == 0) return false;
    }
}

}  // namespace rta::rtactl
