// SPDX-License-Identifier: MIT
#include "document/annotation.h"

namespace rta {

std::string annotation_fault(std::string_view key, std::string_view text) {
    const std::size_t longest = key == "title" ? kLongestTitle : kLongestDescription;
    if (text.size() <= longest) return {};
    return std::string{key} + " has " + std::to_string(text.size()) + " bytes: expected at most " +
           std::to_string(longest);
}

Expected<void> check_annotation(const Annotation& annotation, std::string_view subject) {
    std::string fault = annotation_fault("title", annotation.title);
    if (fault.empty()) fault = annotation_fault("description", annotation.description);
    if (fault.empty()) return {};
    return fail(ErrorCode::invalid_argument, std::string{subject} + ": " + fault);
}

}  // namespace rta
