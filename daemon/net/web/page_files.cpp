// SPDX-License-Identifier: MIT
#include "net/web/page_files.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "os/file.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndex = "index.html";
constexpr std::string_view kGzip = ".gz";

struct Type {
    std::string_view extension;
    std::string_view type;
};
constexpr std::array<Type, 22> kTypes{{{".html", "text/html; charset=utf-8"},
                                       {".js", "text/javascript; charset=utf-8"},
                                       {".mjs", "text/javascript; charset=utf-8"},
                                       {".css", "text/css; charset=utf-8"},
                                       {".json", "application/json"},
                                       {".map", "application/json"},
                                       {".webmanifest", "application/manifest+json"},
                                       {".wasm", "application/wasm"},
                                       {".svg", "image/svg+xml"},
                                       {".png", "image/png"},
                                       {".jpg", "image/jpeg"},
                                       {".webp", "image/webp"},
                                       {".ico", "image/x-icon"},
                                       {".woff2", "font/woff2"},
                                       {".wav", "audio/wav"},
                                       {".flac", "audio/flac"},
                                       {".ogg", "audio/ogg"},
                                       {".mp3", "audio/mpeg"},
                                       {".txt", "text/plain; charset=utf-8"},
                                       {".md", "text/markdown; charset=utf-8"},
                                       {".xml", "application/xml"},
                                       {".pdf", "application/pdf"}}};

std::string tag_of(std::string_view text) {
    constexpr std::size_t kBytes = 12;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string tag;
    for (std::size_t i = 0; i < kBytes; ++i) tag += hexadecimal(digest[i], 2);
    return tag;
}

Expected<std::string> read(const std::string& path, const std::string& folder, std::size_t most_bytes) {
    const auto file = os::open_to_read(path);
    auto text = file && os::is_regular_file(file->get()) ? os::read_to_end(file->get(), most_bytes)
                : file ? std::unexpected(std::make_error_code(std::errc::no_such_file_or_directory))
                       : std::unexpected(file.error());
    if (text) return std::move(*text);
    if (text.error() == std::errc::file_too_large) {
        return fail(ErrorCode::resource_exhausted, printable(folder) + " has more than " +
                                                       std::to_string(PageFiles::kMostBytes >> 20U) +
                                                       " MiB: expected the files of a page");
    }
    return fail(ErrorCode::not_found, "cannot read " + printable(path) + ": " + text.error().message());
}

/// Whether the name of a file or folder is not that of a part of the page.
bool is_hidden(const fs::directory_entry& entry) { return entry.path().filename().native().starts_with('.'); }

/// Returns the contents of the files by their paths in the folder, "/index.html".
Expected<std::map<std::string, std::string, std::less<>>> read_folder(const std::string& folder) {
    std::map<std::string, std::string, std::less<>> texts;
    std::size_t bytes = 0;
    std::error_code error;
    fs::recursive_directory_iterator entries{folder, error};
    const auto failed = [&] {
        return fail(ErrorCode::not_found, "cannot read " + printable(folder) + ": " + error.message());
    };
    if (error) return failed();
    for (; !error && entries != fs::recursive_directory_iterator{}; entries.increment(error)) {
        std::error_code ignored;  // a file that was removed in the meantime is not of the page
        if (is_hidden(*entries)) entries.disable_recursion_pending();
        if (is_hidden(*entries) || entries->is_symlink(ignored) || !entries->is_regular_file(ignored)) continue;
        if (texts.size() == PageFiles::kMostFiles) {
            return fail(ErrorCode::resource_exhausted, printable(folder) + " has more than " +
                                                           std::to_string(PageFiles::kMostFiles) +
                                                           " files: expected those of a page");
        }
        auto text = read(entries->path().native(), folder, PageFiles::kMostBytes - bytes);
        if (!text) return std::unexpected(std::move(text.error()));
        bytes += text->size();
        texts.emplace("/" + entries->path().lexically_relative(folder).generic_string(), std::move(*text));
    }
    if (error) return failed();
    return texts;
}

}  // namespace

std::string_view content_type(std::string_view path) {
    for (const Type& type : kTypes) {
        if (path.ends_with(type.extension)) return type.type;
    }
    return "application/octet-stream";
}

Expected<PageFiles> PageFiles::load(const std::string& folder) {
    auto texts = read_folder(folder);
    if (!texts) return std::unexpected(std::move(texts.error()));
    PageFiles page;
    for (auto& [path, text] : *texts) {
        const std::string_view name = path;
        if (name.ends_with(kGzip) && texts->contains(name.substr(0, name.size() - kGzip.size()))) continue;
        const auto gzip = texts->find(path + std::string{kGzip});
        File file{.type = content_type(path),
                  .tag = tag_of(text),
                  .text = std::make_shared<const std::string>(std::move(text)),
                  .gzip_text = {}};
        if (gzip != texts->end()) file.gzip_text = std::make_shared<const std::string>(gzip->second);
        page.files_.emplace(path, std::move(file));
    }
    if (page.find("/") == nullptr)
        return fail(ErrorCode::not_found, printable(folder) + " has no " + std::string{kIndex});
    return page;
}

const PageFiles::File* PageFiles::find(std::string_view path) const {
    const auto found = path.ends_with('/') ? files_.find(std::string{path} + std::string{kIndex}) : files_.find(path);
    return found == files_.end() ? nullptr : &found->second;
}

}  // namespace rta::net
