// SPDX-License-Identifier: MIT
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <cstdint>
#include <functional>

namespace rta::app {

/// The signals that end rtad as Ctrl-C does: also a closed terminal, a used up processor time, a failing power supply.
/// Signals that are ignored when rtad starts (nohup) stay ignored. [control]
class ExitSignals {
 public:
    explicit ExitSignals(asio::io_context& io) : signals_{io} {}

    /// Calls `first` at the first signal, and `second` at the second one.
    void await(std::function<void()> first, std::function<void()> second);

    /// What a signal does after the io_context has stopped.
    enum class Afterwards : std::uint8_t {
        exit,         ///< exits immediately, with the status of a failure
        report_save,  ///< only prints that the last changes are being saved
    };
    static void set_afterwards(Afterwards afterwards);

 private:
    asio::signal_set signals_;
};

}  // namespace rta::app
