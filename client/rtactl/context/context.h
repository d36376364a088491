// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rta/daemon_client.h"
#include "rta/endpoint.h"
#include "rta/v1/control.pb.h"
#include "rtactl/language/failure.h"
#include "rtactl/language/graph_mirror.h"

namespace rta::rtactl {

/// Where a command reads and writes.
struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool interactive = false;  ///< a person types at `in` and reads `out`
    /// The terminal that `out` writes to, where it can be drawn on; -1: none. Where `interactive` too, it is the
    /// standard output, and `in` the standard input.
    int terminal = -1;
    /// The descriptor that `out` writes to, where a signal must end a writing that its reader makes wait; -1: none.
    int descriptor = -1;
    /// What draws on the terminal writes here, and is trusted with what it writes; nullptr: to `out`.
    std::ostream* screen = nullptr;

    [[nodiscard]] std::ostream& unescaped() const { return screen != nullptr ? *screen : out; }
};

/// What the command line says about the conversation.
struct SessionOptions {
    std::vector<client::Endpoint> endpoints;
    std::chrono::milliseconds timeout = std::chrono::seconds{10};
    bool json = false;
};

/// The edits between `begin` and `commit`.
struct PendingTransaction {
    std::size_t begin_line = 0;
    std::vector<v1::Edit> edits{};
    std::vector<std::size_t> lines{};  ///< the line that each edit came from
    std::size_t refused_line = 0;      ///< the first line that was no good, 0 if none: then nothing may be committed
    /// What the graph will be once the edits collected so far are made. Asked for when first needed, and anew after the
    /// daemon was lost.
    std::optional<KnownGraph> graph{};

    void collect(std::vector<v1::Edit> new_edits, std::size_t line);
};

/// What every command works with: the connection, made when first needed, and where things are printed. The shell runs
/// all its lines in one session.
class Session {
 public:
    Session(SessionOptions options, Streams streams) : options_{std::move(options)}, streams_{streams} {}

    [[nodiscard]] bool json() const { return options_.json; }
    [[nodiscard]] Streams& streams() { return streams_; }
    [[nodiscard]] std::ostream& out() { return streams_.out; }

    /// A conversation of the caller's own, beside the session's.
    [[nodiscard]] Result<client::DaemonClient> open() const;

    /// Asks for something on the way to what the command is for: an answer other than OK is a Failure.
    [[nodiscard]] Result<v1::Response> ask(v1::Request request);
    /// The same for several at once, pipelined: one trip there and back.
    [[nodiscard]] Result<std::vector<v1::Response>> ask_all(std::vector<v1::Request> requests);
    /// Does what the command is for: with --json, this response is what is printed, whatever it says.
    [[nodiscard]] Result<v1::Response> perform(v1::Request request);
    /// Makes the edits, in one transaction, and prints its revision; between `begin` and `commit` only collects them.
    /// `title`, if there is one, is printed in either case.
    [[nodiscard]] Result<void> edit(std::vector<v1::Edit> edits, std::string_view title = {});
    /// Prints when the transaction began to be heard, after `title` if there is one. Nothing with --json.
    void print_revision(const v1::TransactionResult& result, std::string_view title = {});
    void print_json(const google::protobuf::Message& message);

    /// The graph as it will be when the command is carried out, and the node types. It holds until the next call. Of
    /// the nodes called `names` only, and the connections that touch them, where there are any names.
    [[nodiscard]] Result<const KnownGraph*> learn_graph(std::vector<std::string> names = {});
    /// The same for somebody who is typing: connecting, and the answers, may take no longer than `time` each.
    [[nodiscard]] Result<const KnownGraph*> learn_graph_within(std::chrono::milliseconds time);
    /// The same without the graph.
    [[nodiscard]] Result<void> learn_types();

    /// The daemon's node types. They cannot change while the connection lasts, so they are asked for once.
    [[nodiscard]] bool knows_types() const { return types_.has_value(); }
    void learn_types(v1::NodeTypesResult types) { types_ = std::move(types); }
    /// Those that learn_types() learned.
    [[nodiscard]] const v1::NodeTypesResult& types() const { return *types_; }
    /// nullptr if there is none of that name.
    [[nodiscard]] const v1::NodeType* find_type(std::string_view name) const;

    // The shell's part.
    std::optional<PendingTransaction>& transaction() { return transaction_; }
    /// The line that is being run, from 1; 0 outside the shell.
    std::size_t line = 0;
    bool quit = false;

 private:
    Result<client::DaemonClient*> connection();
    Result<v1::Response> exchange(v1::Request request, bool print);
    Result<v1::Response> judge(client::Expected<v1::Response> response, bool print);
    std::unexpected<Failure> broken(client::Error error);

    SessionOptions options_;
    Streams streams_;
    std::optional<client::DaemonClient> connection_;
    std::optional<v1::NodeTypesResult> types_;
    std::optional<KnownGraph> graph_;  ///< as it was when it was last asked for
    std::optional<PendingTransaction> transaction_;
};

/// What a program is told of an answer with this code.
[[nodiscard]] Exit exit_of(v1::Code code);
/// The same of a conversation that failed.
[[nodiscard]] Exit exit_of(const client::Error& error);

/// For the graph in one form, or in both; of the nodes called `names` only, if there are any.
[[nodiscard]] v1::Request get_graph_request(v1::GraphContent content, std::vector<std::string> names = {});
[[nodiscard]] v1::Request list_types_request(std::string_view type = {});

}  // namespace rta::rtactl
