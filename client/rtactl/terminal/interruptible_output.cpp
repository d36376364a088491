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

/// Size of the buffer, which is written when it is full.
constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;
/// Time limit for restoring the terminal after the end was requested.
constexpr int kRestoreMs = 100;

/// Opens the pipe or terminal again: setting O_NONBLOCK on the descriptor itself would affect all its users.
int reopen(int descriptor) {
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) return -1;
    if (!S_ISFIFO(status.st_mode) && ::isatty(descriptor) != 1) return -1;
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

InterruptibleOutput::InterruptibleOutput(std::ostream& out, int descriptor, Interrupts& interrupts)
    : out_{out}, interrupts_{interrupts}, descriptor_{descriptor} {
    if (descriptor < 0) return;
    out_.flush();
    if (!out_) return;
    own_ = os::UniqueFd{reopen(descriptor)};
    previous_ = out_.rdbuf(this);
}

InterruptibleOutput::~InterruptibleOutput() {
    if (previous_ == nullptr) return;
    out_.flush();
    out_.rdbuf(previous_);  // clears the error state
    if (failed_) out_.setstate(std::ios::badbit);
}

InterruptibleOutput::int_type InterruptibleOutput::overflow(int_type character) {
    if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
    const char text = traits_type::to_char_type(character);
    return xsputn(&text, 1) == 1 ? character : traits_type::eof();
}

std::streamsize InterruptibleOutput::xsputn(const char* text, std::streamsize count) {
    if (failed_) return 0;
    text_.append(text, static_cast<std::size_t>(count));
    if (text_.size() >= kBufferBytes && sync() != 0) return 0;
    return count;
}

int InterruptibleOutput::sync() {
    if (!failed_ && !write_all(text_)) failed_ = true;
    text_.clear();
    return failed_ ? -1 : 0;
}

bool InterruptibleOutput::write_all(std::string_view text) {
    const int descriptor = own_ ? own_.get() : descriptor_;
    while (!text.empty()) {
        // The end was requested: drops the rest.
        if (!wait_until_writable()) return true;
        // A pipe that is writable accepts PIPE_BUF bytes without blocking.
        const ssize_t written = ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// Returns false if the end was requested first.
bool InterruptibleOutput::wait_until_writable() {
    while (true) {
        const bool ending = interrupts_.end_requested();
        std::array<pollfd, 2> ready{
            pollfd{.fd = own_ ? own_.get() : descriptor_, .events = POLLOUT, .revents = 0},
            pollfd{.fd = ending ? -1 : interrupts_.descriptor(), .events = POLLIN, .revents = 0}};
        const int count = ::poll(ready.data(), ready.size(), ending ? kRestoreMs : -1);
        if (ready[0].revents != 0) return true;
        if (count == 0) return false;
    }
}

}  // namespace rta::rtactl
