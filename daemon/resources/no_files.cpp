// SPDX-License-Identifier: MIT
#include <string>

#include "resources/frame_stream.h"
#include "resources/resources.h"
#include "text/quoting.h"

namespace rta {
namespace {

class NoFiles final : public Resources {
 public:
    Expected<std::shared_ptr<const SoundData>> load(std::string_view file, double) override {
        return std::unexpected(refusal(file));
    }
    Expected<ReadStream> open_read_stream(std::string_view file, const ReadStreamRequest&) override {
        return std::unexpected(refusal(file));
    }

 private:
    static Error refusal(std::string_view file) {
        return {ErrorCode::unimplemented, "cannot open the file " + quoted(file) + ": this program has no files", {}};
    }
};

}  // namespace

Resources& no_files() {
    static NoFiles none;
    return none;
}

}  // namespace rta
