// SPDX-License-Identifier: MIT
// advertise NAME ADDRESS...: publishes these listeners as rtad does, logs on stdout, and withdraws them at SIGTERM. A
// separate program, because libdbus reads the address of the system bus once in a process.
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX

#include <iostream>
#include <string>
#include <vector>

#include "net/advertisement.h"

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const std::vector<std::string> addresses(argv + 2, argv + argc);
    const rta::net::Advertisement advertisement{
        argv[1],
        addresses,
        {.version = "9.9.9", .instance = "0123abcd", .tls_fingerprint = "SHA256:fingerprint"},
        [](rta::net::LogLevel, std::string_view line) { std::cout << line << std::endl; }};
    int signal = 0;
    sigwait(&ends, &signal);
    return 0;
}
