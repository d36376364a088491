// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rta/daemon_client.h"
#include "rta/endpoint.h"
#include "rta/graph_mirror.h"
#include "rta/v1/control.pb.h"
#include "rtactl/language/command_table.h"
#include "rtactl/language/edit_options.h"
#include "rtactl/language/failure.h"
#include "rtactl/terminal/streams.h"

namespace rta::rtactl {

/// Options that concern the daemon, from the command line, the environment and the configuration file.
struct ContextOptions {
    std::vector<client::Endpoint> endpoints;
    std::chrono::milliseconds timeout = std::chrono::seconds{10};
    bool json = false;
    client::TlsOptions tls{};
    std::string token_file{};  ///< empty: none
    /// If the daemon cannot be reached: the host of the configuration file that was probably meant. May be empty.
    std::string similar_host{};
};
/// Reads the global options, RTACTL_HOST if they do not name a daemon, and RTACTL_TOKEN_FILE if they do not name a token;
/// from the configuration file, the options of the host, and the host if nothing else names one. An option of the
/// command line has priority over the file, and the token or certificate of a host over the token of the environment.
[[nodiscard]] Result<ContextOptions> context_options(const Arguments& globals);

/// One line about what a command has done.
struct Done {
    std::string text;                      ///< "connected osc -> vol"; "set vol.gain_db" if it has a unit
    std::optional<std::string> unit = {};  ///< of a relative change, whose result is in the response
};

/// The edits between `begin` and `commit`.
struct PendingTransaction {
    std::size_t begin_line = 0;
    EditOptions options{};  ///< of `begin`
    std::vector<v1::Edit> edits{};
    std::vector<std::size_t> lines{};            ///< the line that each edit came from
    std::map<std::size_t, std::string> texts{};  ///< the lines with edits, and the refused one
    std::vector<Done> done{};                    ///< printed after the commit
    std::size_t refused_line = 0;  ///< the first line that was refused; 0: none. If set, commit is refused.
    /// The graph with the edits so far applied. Fetched on first use, and again after the daemon was lost.
    std::optional<GraphMirror> graph{};

    void collect(std::vector<v1::Edit> new_edits, std::vector<Done> new_done, std::size_t line,
                 const std::string& text);
    /// Returns a line in quotes.
    [[nodiscard]] std::string line_text(std::size_t line) const;
};

/// State of one run of rtactl, passed to every command: the command table, the streams and the client, which connects
/// on first use. The shell runs all its lines in one context.
class Context {
 public:
    Context(const CommandTable& commands, ContextOptions options, Streams streams)
        : commands_{commands}, options_{std::move(options)}, streams_{streams} {}

    /// Returns a context for the same daemon, with its own client, that prints JSON to these streams.
    [[nodiscard]] Context with_json(const Streams& streams) const {
        ContextOptions options = options_;
        options.json = true;
        return {commands_, std::move(options), streams};
    }

    [[nodiscard]] const CommandTable& commands() const { return commands_; }
    [[nodiscard]] bool json() const { return options_.json; }
    [[nodiscard]] Streams& streams() { return streams_; }
    [[nodiscard]] std::ostream& out() { return streams_.out; }
    [[nodiscard]] Place place() const { return line == 0 ? Place::command_line : Place::shell; }

    /// The time limit of the command line for connecting and for each response.
    [[nodiscard]] std::chrono::milliseconds timeout() const { return options_.timeout; }
    /// Opens another client, owned by the caller, in addition to the one of the context.
    [[nodiscard]] Result<client::DaemonClient> open() const { return open(options_.timeout); }
    [[nodiscard]] Result<client::DaemonClient> open(std::chrono::milliseconds timeout) const;

    // A response other than OK is a Failure.

    /// Sends a request that prepares the command.
    [[nodiscard]] Result<v1::Response> call(v1::Request request);
    /// Sends several such requests in one round trip.
    [[nodiscard]] Result<std::vector<v1::Response>> call_all(std::vector<v1::Request> requests);
    /// Sends the request of a command that reads. With --json, prints the response.
    [[nodiscard]] Result<v1::Response> query(v1::Request request);
    /// Sends the request of a command that changes something, and waits until the change takes effect. With --json,
    /// prints the response. If no response arrives, the error says that the outcome is unknown.
    [[nodiscard]] Result<v1::Response> change(v1::Request request);

    // These make an edit with the options of the command (EditOptions): with --dry-run, they print what would change.

    /// Applies the edits in one transaction, and prints what was done and the revision. Between `begin` and `commit`, only
    /// collects both.
    [[nodiscard]] Result<void> edit(std::vector<v1::Edit> edits, std::vector<Done> done);
    [[nodiscard]] Result<void> edit(std::vector<v1::Edit> edits, std::string done) {
        return edit(std::move(edits), std::vector<Done>{{std::move(done)}});
    }
    /// Applies a transaction, also with a whole graph, and prints what was done and the revision. `document` names the
    /// document that it contains, for warnings.
    [[nodiscard]] Result<void> apply(v1::ApplyTransaction transaction, std::vector<Done> done,
                                     std::string_view document = {});
    /// Changes parameters, and prints what was done.
    [[nodiscard]] Result<void> set_parameters(v1::SetParameters changes, const std::vector<Done>& done);

    // These print nothing with --json.

    /// Prints what was done, and the revision and frame of the transaction.
    void print_done(const v1::TransactionResult& result, std::span<const Done> done);
    void print_done(const v1::TransactionResult& result, std::string done) {
        print_done(result, std::vector<Done>{{std::move(done)}});
    }
    /// Prints on a terminal how to undo a command that has replaced the graph.
    void print_undo_hint();
    /// Prints what was done, one line each.
    void print_done(const v1::ParametersResult& result, std::span<const Done> done);
    /// Prints an edit that waits for its time.
    void print_pending(const v1::PendingEdit& edit);
    /// Prints the edits that a command would make in this revision.
    void print_changes(std::uint64_t revision, const google::protobuf::RepeatedPtrField<v1::Edit>& edits);
    /// Prints a warning about a document on the error stream.
    void print_warning(std::string_view document, std::string_view warning);
    /// Prints the warnings of a response. Prints nothing with --json: the response has them.
    void print_warnings(std::string_view document, const google::protobuf::RepeatedPtrField<std::string>& warnings);
    void print_json(const google::protobuf::Message& message);

    /// Fetches the node types, and the graph as the command will find it: with the edits of an open transaction
    /// applied. Fetches only the nodes in `names` and their connections, unless `names` is empty. The pointer is valid
    /// until the next call.
    [[nodiscard]] Result<const GraphMirror*> fetch_graph(std::vector<std::string> names = {});
    /// Fetches the same with a shorter timeout, from a daemon whose certificate is already trusted: completion must not
    /// ask.
    [[nodiscard]] Result<const GraphMirror*> fetch_graph_within(std::chrono::milliseconds timeout);
    /// Returns the names of the scenes, in the same way; none if the daemon cannot be asked.
    [[nodiscard]] std::vector<std::string> scene_names_within(std::chrono::milliseconds timeout);
    /// Returns the graph as an open transaction leaves it, and its document, as the daemon would send them after the
    /// commit.
    [[nodiscard]] Result<v1::GraphResult> fetch_pending_graph();
    /// Fetches the node types. They are fetched once: they do not change while the client is connected.
    [[nodiscard]] Result<void> fetch_types();

    [[nodiscard]] bool has_types() const { return types_.has_value(); }
    void set_types(v1::NodeTypesResult types) { types_ = std::move(types); }
    /// Requires has_types().
    [[nodiscard]] const v1::NodeTypesResult& types() const { return *types_; }
    /// Returns nullptr if no type has that name, or if the types have not been fetched.
    [[nodiscard]] const v1::NodeType* find_type(std::string_view name) const;

    /// The options of the current command.
    EditOptions edit_options{};
    /// Returns the instance of the daemon, as in HelloResult.
    [[nodiscard]] Result<std::string> instance();

    // State of the shell.
    std::optional<PendingTransaction>& transaction() { return transaction_; }
    /// Number of the current line, from 1; 0 outside the shell.
    std::size_t line = 0;
    std::string line_text;  ///< the current line
    bool quit = false;
    bool ended = false;  ///< a signal has ended a command that runs until it is interrupted

 private:
    /// Purpose of a request: to prepare the command, to read, or to change something.
    enum class Purpose : std::uint8_t { preparation, query, change };

    [[nodiscard]] bool trust(const std::string& host, const std::string& fingerprint) const;
    Result<client::DaemonClient*> connected_client();
    Result<v1::Response> exchange(v1::Request request, Purpose purpose);
    /// Calls `ask` with a shorter timeout, without asking the user whether to trust a daemon.
    auto within(std::chrono::milliseconds timeout, const auto& ask);
    /// Checks a transaction, and prints what it would change.
    Result<void> dry_run(v1::CheckGraph check, std::string_view document);
    Result<void> check_load(const v1::CheckResult& result);
    Result<v1::Response> check(client::Expected<v1::Response> response, Purpose purpose);
    std::unexpected<Failure> failed(client::Error error);

    const CommandTable& commands_;
    ContextOptions options_;
    Streams streams_;
    bool may_trust_ = true;  ///< a daemon on first use
    std::optional<client::DaemonClient> client_;
    std::optional<v1::NodeTypesResult> types_;
    std::optional<GraphMirror> graph_;  ///< as last fetched
    std::optional<PendingTransaction> transaction_;
};

/// Requests the graph in one form or in both; only the nodes in `names`, unless it is empty.
[[nodiscard]] v1::Request get_graph_request(v1::GraphContent content, std::vector<std::string> names = {});
[[nodiscard]] v1::Request list_types_request(std::string_view type = {});

}  // namespace rta::rtactl
