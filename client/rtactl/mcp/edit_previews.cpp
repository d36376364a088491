// SPDX-License-Identifier: MIT
#include "rtactl/mcp/edit_previews.h"

#include <algorithm>
#include <utility>

#include "rtactl/context/error_report.h"

namespace rta::rtactl::mcp {

namespace {

constexpr std::size_t kKeptPreviews = 16;

std::string preview_description(const CommandTable& commands) {
    std::string text =
        "Check edits of the graph without making them, and return what they would change, with a token for apply_edit. The "
        "edits are applied together or not at all. Each is one line:";
    for (const Command* const command : commands.all()) {
        if (!is_edit(*command)) continue;
        text += "\n" + std::string{command->name} + " " + arguments_text(*command) + ": " + std::string{command->help};
    }
    return text;
}

void begin_tool(JsonWriter& writer, std::string_view name, std::string_view description) {
    writer.StartObject();
    put(writer, "name", name);
    put(writer, "description", description);
    put_key(writer, "inputSchema");
    writer.StartObject();
    put(writer, "type", "object");
    put_key(writer, "properties");
    writer.StartObject();
}

void end_tool(JsonWriter& writer, std::string_view required, bool reads) {
    writer.EndObject();
    put_key(writer, "required");
    writer.StartArray();
    put_text(writer, required);
    writer.EndArray();
    put_key(writer, "additionalProperties");
    writer.Bool(false);
    writer.EndObject();
    put_annotations(writer, reads);
    writer.EndObject();
}

/// Returns the only argument; nullptr if it is missing, or if there are others.
const Json* only_argument(const Json* arguments, const char* name) {
    return arguments == nullptr || arguments->names.size() != 1 ? nullptr : arguments->find(name);
}

/// Returns the revision in the response to a check.
std::string checked_revision(const std::string& json) {
    const auto response = parse_json(json);
    const Json* const check = response ? response->find("check_graph") : nullptr;
    const Json* const revision = check == nullptr ? nullptr : check->find("revision");
    return revision == nullptr ? std::string{} : revision->text;
}

}  // namespace

void EditPreviews::describe_preview(const CommandTable& commands, JsonWriter& writer) {
    begin_tool(writer, kPreviewName, preview_description(commands));
    put_key(writer, "edits");
    writer.StartObject();
    put(writer, "type", "array");
    put_key(writer, "items");
    writer.StartObject();
    put(writer, "type", "string");
    writer.EndObject();
    put_key(writer, "minItems");
    writer.Int(1);
    put_key(writer, "maxItems");
    writer.Uint64(kMaximumEdits);
    put(writer, "description", R"(The edits, such as ["add gain vol gain_db=-6", "connect osc vol"].)");
    writer.EndObject();
    end_tool(writer, "edits", true);
}

void EditPreviews::describe_apply(JsonWriter& writer) {
    begin_tool(
        writer, kApplyName,
        "Apply the edits that preview_edit has shown. They are refused if the graph has changed since the preview. undo "
        "takes them back.");
    put_key(writer, "token");
    writer.StartObject();
    put(writer, "type", "string");
    put(writer, "description", "The token that preview_edit has returned; it can be used once.");
    writer.EndObject();
    end_tool(writer, "token", false);
}

ToolResult EditPreviews::preview(const Json* arguments) {
    const Json* const edits = only_argument(arguments, "edits");
    const bool valid =
        edits != nullptr && edits->is(Json::Kind::array) && !edits->elements.empty() &&
        edits->elements.size() <= kMaximumEdits &&
        std::ranges::all_of(edits->elements, [](const Json& edit) { return edit.is(Json::Kind::string); });
    if (!valid) {
        return invalid_arguments("invalid arguments: expected only \"edits\", a list of 1 to " +
                                 std::to_string(kMaximumEdits) + " texts");
    }
    Preview preview;
    for (const Json& edit : edits->elements) preview.lines.push_back(edit.text);
    const std::string dry_run[] = {"--dry-run"};
    ToolResult result = runner_.run_transaction(preview.lines, dry_run);
    if (result.error) return result;
    preview.revision = checked_revision(result.json);
    if (auto instance = runner_.context().instance()) preview.instance = std::move(*instance);
    preview.token = "preview-" + std::to_string(++count_);
    rapidjson::StringBuffer buffer;
    JsonWriter writer{buffer};
    writer.StartObject();
    put(writer, "token", preview.token);
    put_key(writer, "preview");
    put_json(writer, result.json);
    writer.EndObject();
    previews_.push_back(std::move(preview));
    if (previews_.size() > kKeptPreviews) previews_.pop_front();
    return {.json = {buffer.GetString(), buffer.GetSize()}};
}

ToolResult EditPreviews::apply(const Json* arguments) {
    const Json* const token = only_argument(arguments, "token");
    if (token == nullptr || !token->is(Json::Kind::string))
        return invalid_arguments("invalid arguments: expected only \"token\", a text");
    const auto found = std::ranges::find(previews_, token->text, &Preview::token);
    if (found == previews_.end())
        return invalid_arguments("unknown token: expected one of the latest " + std::to_string(kKeptPreviews) +
                                 " that preview_edit has returned, which has not been used");
    const Preview preview = std::move(*found);
    previews_.erase(found);
    const auto instance = runner_.context().instance();
    if (instance && *instance != preview.instance)
        return invalid_arguments("rtad was restarted since the preview: preview the edits again");
    const std::string expect[] = {"--expect", preview.revision};
    return runner_.run_transaction(preview.lines, expect);
}

}  // namespace rta::rtactl::mcp
