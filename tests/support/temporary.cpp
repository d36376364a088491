// SPDX-License-Identifier: MIT
#include "support/temporary.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "os/unique_fd.h"

namespace rta::test {

TemporaryDirectory::TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "rta.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory " + name);
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;  // a destructor cannot report errors
    std::filesystem::remove_all(path_, ignored);
}

std::uint16_t free_tcp_port() {
    const os::UniqueFd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    // The sockets API takes addresses of all families as sockaddr.
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener.get(), generic, size) != 0 || ::getsockname(listener.get(), generic, &size) != 0) {
        throw std::runtime_error("cannot find a free TCP port");
    }
    return ntohs(address.sin_port);
}

void write_text(const std::filesystem::path& file, std::string_view text) {
    std::ofstream stream{file, std::ios::binary};
    stream << text;
    stream.close();
    if (!stream) throw std::runtime_error("cannot write " + file.string());
}

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
}

}  // namespace rta::test
