// SPDX-License-Identifier: MIT
#include "rtactl/drawing/style.h"

#include <ostream>
#include <utility>

namespace rta::rtactl {

namespace {

/// Index of the pointer to the sink among those that a stream carries for its users.
int sink_index() {
    static const int index = std::ios_base::xalloc();
    return index;
}

}  // namespace

void set_style_sink(std::ostream& out, StyleSink* sink) { out.pword(sink_index()) = sink; }

std::ostream& operator<<(std::ostream& out, const Styled& styled) {
    auto* const sink = static_cast<StyleSink*>(out.pword(sink_index()));
    if (sink == nullptr || styled.style == Style::plain || styled.text.empty()) return out << styled.text;
    sink->set(styled.style);
    out << styled.text;
    sink->set(Style::plain);
    return out;
}

std::string_view escape_sequence(Style style) {
    switch (style) {
        case Style::heading:
            return "\x1b[1m";
        case Style::secondary:
            return "\x1b[2m";
        case Style::good:
            return "\x1b[32m";
        case Style::warning:
            return "\x1b[33m";
        case Style::error:
            return "\x1b[31m";
        case Style::plain:
            break;
    }
    return "\x1b[0m";
}

void TerminalStyles::set(Style style) { terminal_ << escape_sequence(style); }

void StyleRecorder::Changes::set(Style style) { changes.push_back({static_cast<std::size_t>(stream_.tellp()), style}); }

StyleRecorder::StyleRecorder() : changes_{*this} { set_style_sink(*this, &changes_); }

std::vector<StyledLine> StyleRecorder::lines() const {
    const std::string text = str();
    std::vector<StyledLine> lines;
    StyledLine line;
    Style style = Style::plain;
    auto change = changes_.changes.begin();
    for (std::size_t at = 0; at < text.size();) {
        for (; change != changes_.changes.end() && change->offset <= at; ++change) style = change->style;
        const std::size_t until = change == changes_.changes.end() ? text.size() : change->offset;
        const std::string_view piece = std::string_view{text}.substr(at, until - at);
        const std::size_t end = piece.find('\n');
        line.push_back({std::string{piece.substr(0, end)}, style});
        at += end == std::string_view::npos ? piece.size() : end + 1;
        if (end != std::string_view::npos) lines.push_back(std::exchange(line, {}));
    }
    if (!line.empty()) lines.push_back(std::move(line));
    return lines;
}

}  // namespace rta::rtactl
