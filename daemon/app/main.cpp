// SPDX-License-Identifier: MIT
#include <systemd/sd-daemon.h>

#include <cstdio>
#include <exception>
#include <string>
#include <variant>

#include "app/commands.h"
#include "app/daemon.h"
#include "app/logging.h"
#include "app/options.h"
#include "app/process_setup.h"
#include "app/service.h"

namespace {

using namespace rta::app;

/// Runs the command that the options select.
struct Run {
    int operator()(const DaemonOptions& options) const {
        start_logging(options.log_level);
        return run_daemon(options, lock_memory());
    }
    int operator()(const DevicesOptions&) const { return run_devices(); }
    int operator()(const CheckOptions& options) const { return run_check(options); }
    int operator()(const RenderOptions& options) const { return run_render(options); }
    int operator()(const TokenOptions& options) const { return run_token(options); }
};

}  // namespace

int main(int argc, char** argv) {
    try {
        prepare_process();
        const auto parsed = parse_options(argc, argv);
        if (const auto* const early = std::get_if<EarlyExit>(&parsed)) {
            std::fputs(early->output.c_str(), stdout);
            if (stderr_is_journal() && !early->error.empty()) std::fputs(SD_ERR, stderr);
            std::fputs(early->error.c_str(), stderr);
            return early->status;
        }
        if (const auto chosen = choose_simd_target(); !chosen) {
            print_error(chosen.error().sentence);
            return kExitUsage;
        }
        return std::visit(Run{}, std::get<Options>(parsed));
    } catch (const std::exception& error) {
        print_error(error.what());
        ServiceManager::pause_failed_start();
        return kExitFailure;
    }
}
