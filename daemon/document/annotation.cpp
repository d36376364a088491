// SPDX-License-Identifier: MIT
#include "document/annotation.h"

#include <algorithm>
#include <string>

#include "text/quoting.h"

namespace rta {

std::string annotation_fault(std::string_view key, std::string_view text) {
    const bool is_title = key == "title";
    const std::size_t longest = is_title ? kLongestTitle : kLongestDescription;
    if (text.size() > longest) {
        return std::string{key} + " has " + std::to_string(text.size()) + " bytes: expected at most " +
               std::to_string(longest);
    }
    std::string one_line{text};
    if (!is_title) std::ranges::replace(one_line, '\n', ' ');
    if (is_printable(one_line)) return {};
    return std::string{key} + " has characters that cannot be printed: expected text without control characters" +
           (is_title ? "" : " other than line feeds") + " and bidirectional formatting characters";
}

Expected<void> check_annotation(const Annotation& annotation, std::string_view subject) {
    std::string fault = annotation_fault("title", annotation.title);
    if (fault.empty()) fault = annotation_fault("description", annotation.description);
    if (fault.empty()) return {};
    return fail(ErrorCode::invalid_argument, std::string{subject} + ": " + fault);
}

}  // namespace rta
