// SPDX-License-Identifier: MIT
#include "rtactl/terminal/line_completion.h"

#include <algorithm>
#include <filesystem>

#include "rtactl/language/lexer.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::rtactl {

namespace {

std::string common_front(std::span<const Candidate> candidates) {
    std::string front = candidates.front().text;
    for (const Candidate& candidate : candidates) {
        const auto [end, other] = std::ranges::mismatch(front, candidate.text);
        front.erase(end, front.end());
    }
    // Removes an incomplete character.
    while (first_invalid_utf8(front) != front.size()) front.pop_back();
    return front;
}

}  // namespace

std::vector<Candidate> complete_file(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    const std::string_view begun = std::string_view{path}.substr(folder.size());
    std::vector<Candidate> candidates;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{folder.empty() ? "." : folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!is_printable(name) || !name.starts_with(begun) || (name.starts_with('.') && !begun.starts_with('.')))
            continue;
        std::error_code unknown;
        const bool is_folder = entry->is_directory(unknown);
        candidates.push_back({folder + name + (is_folder ? "/" : ""), "", !is_folder});
    }
    std::ranges::sort(candidates, {}, &Candidate::text);
    return candidates;
}

LineCompletion complete_line(const CommandTable& table, std::string_view line, CompletionSource& source) {
    const TypedWords typed = split_typed(line);
    if (typed.in_comment) return {};
    Completion completion = complete(table, typed.words, Place::shell, source);
    if (completion.file) {
        const std::string& word = typed.words.back();
        const std::size_t slash = word.rfind('/');
        completion.candidates = complete_file(word.substr(*completion.file));
        for (Candidate& candidate : completion.candidates) candidate.text.insert(0, word, 0, *completion.file);
        completion.stem = slash == std::string::npos ? *completion.file : slash + 1;
    }
    if (completion.candidates.empty()) {
        if (completion.hint.empty()) return {};
        return {.inserted = {}, .shown = {{completion.hint, ""}}};
    }
    const std::string front = common_front(completion.candidates);
    const bool one = completion.candidates.size() == 1;
    LineCompletion result;
    if (one || front.size() > typed.words.back().size()) {
        result.erased = line.size() - typed.last_begins;
        result.inserted = escaped(front) + (one && completion.candidates.front().final ? " " : "");
        return result;
    }
    for (Candidate& candidate : completion.candidates) {
        candidate.text.erase(0, completion.stem);
        result.shown.push_back(std::move(candidate));
    }
    return result;
}

}  // namespace rta::rtactl
