// SPDX-License-Identifier: MIT
#include "rtactl/terminal/completion_scripts.h"

#include <algorithm>
#include <array>
#include <span>

#include "rtactl/language/invocation.h"

namespace rta::rtactl {

namespace {

/// Quotes a word for all three shells.
std::string in_quotes(std::string_view text) {
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return word + "'";
}

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
        text.replace(at, mark.size(), by);
    return text;
}

std::string joined(const auto& words, std::string_view separator) {
    std::string text;
    for (const auto& word : words) text.append(text.empty() ? "" : separator).append(word);
    return text;
}

/// Visits the commands of the command line, each with its group ("" if none) and the rest of its name.
template <class Visit>
void for_each_command(const CommandTable& table, const Visit& visit) {
    for (const Command* entry : table.all()) {
        const Command& command = *entry;
        if (command.place != Place::anywhere && command.place != Place::command_line) continue;
        const std::size_t blank = command.name.find(' ');
        const bool grouped = blank != std::string_view::npos;
        visit(command, grouped ? command.name.substr(0, blank) : std::string_view{},
              grouped ? command.name.substr(blank + 1) : command.name);
    }
}

std::vector<std::string_view> groups(const CommandTable& table) {
    std::vector<std::string_view> names = table.first_words(Place::command_line);
    std::erase_if(names, [&](std::string_view name) { return table.second_words(name).empty(); });
    return names;
}

std::string group_help(const CommandTable& table, std::string_view group) {
    return joined(table.second_words(group), ", ") + ".";
}

std::vector<std::string> option_names(std::span<const Option> options) {
    std::vector<std::string> names;
    for (const Option& option : options) names.emplace_back(option.name);
    return names;
}

/// Returns patterns of a `case` for all options that take a value.
std::string valued_options(const CommandTable& table) {
    std::vector<std::string> names;
    const auto take = [&](std::span<const Option> options) {
        for (const Option& option : options) {
            if (!option.value_name.empty() && std::ranges::find(names, option.name) == names.end())
                names.emplace_back(option.name);
        }
    };
    take(global_options());
    for (const Command* command : table.all()) take(command->options);
    return joined(names, "|");
}

// ---- bash ----------------------------------------------------------------------------------------------------------

constexpr std::string_view kBash = R"(# bash completion of rtactl, written by `rtactl completion bash`
_rtactl() {
    # bash also splits words at : and =. Join pieces without a blank in between, up to the cursor.
    local rest=${COMP_LINE:0:COMP_POINT} blank piece words=()
    for piece in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        [ ${#piece} -le ${#rest} ] || piece=$rest
        if [ ${#words[@]} -eq 0 ] || [ -n "$blank" ]; then words+=("$piece"); else words[-1]+=$piece; fi
        rest=${rest#"$piece"}
    done
    local program=${words[0]/#\~/$HOME} word=${words[-1]}
    words=("${words[@]:1}")

    # Find the command.
    local command='' i answer
    for ((i = 0; i + 1 < ${#words[@]}; i++)); do
        case ${words[i]} in
            @VALUED@) i=$((i + 1)) ;;
            -*) ;;
            *)
                command+=${command:+ }${words[i]}
                case $command in @GROUPS@) ;; *) break ;; esac
                ;;
        esac
    done

    COMPREPLY=()
    if [[ $word == -* && $word != *=* && ! " ${words[*]:0:${#words[@]}-1} " == *' -- '* ]]; then
        answer='@GLOBAL_OPTIONS@'
        case $command in
@OPTIONS@        esac
        mapfile -t COMPREPLY < <(compgen -W "$answer" -S ' ' -- "$word")
        return
    fi
    case $command in
        '') answer='@COMMANDS@' ;;
@GROUP_COMMANDS@    esac
    if [ -n "$answer" ] && [ "$i" -eq $((${#words[@]} - 1)) ] && [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$answer" -S ' ' -- "$word")
        return
    fi

    # The rest depends on the daemon or on files. For bash, a word starts after the last : or =.
    local front='' lines
    mapfile -t lines < <("$program" complete -- "${words[@]}" 2>/dev/null)
    if [ "${lines[0]-}" = files ]; then
        compopt -o filenames -o default +o nospace
        return
    fi
    for piece in : =; do
        case $COMP_WORDBREAKS in *"$piece"*) ;; *) continue ;; esac
        case $word in *"$piece"*) piece=${word%"$piece"*}$piece; [ ${#piece} -le ${#front} ] || front=$piece ;; esac
    done
    for piece in "${lines[@]:1}"; do
        piece=${piece%%$'\t'*}
        COMPREPLY+=("${piece#"$front"}")
    done
}
complete -o nospace -F _rtactl rtactl
)";

// ---- zsh -----------------------------------------------------------------------------------------------------------

constexpr std::string_view kZsh = R"(#compdef rtactl
# zsh completion of rtactl, written by `rtactl completion zsh`
_rtactl() {
    local command='' piece answer tab=$'\t'
    local -a before=("${(@)words[2,CURRENT-1]}") found explained lines open open_explained
    local -i i
    for ((i = 1; i <= $#before; i++)); do
        case ${before[i]} in
            (@VALUED@) i+=1 ;;
            (-*) ;;
            (*)
                command+=${command:+ }${before[i]}
                case $command in (@GROUPS@) ;; (*) break ;; esac
                ;;
        esac
    done

    if [[ $PREFIX == -* && $PREFIX != *=* && ${before[(Ie)--]} -eq 0 ]]; then
        found=(@GLOBAL_OPTIONS@)
        case $command in
@OPTIONS@        esac
        _describe option found
        return
    fi
    case $command in
        ('') [[ $i -gt $#before+1 || $PREFIX == -* ]] || found=(
@COMMANDS@        ) ;;
@GROUP_COMMANDS@    esac
    if (( $#found )); then
        _describe command found
        return
    fi

    # The rest depends on the daemon or on files.
    lines=("${(@f)$(${~words[1]} complete -- "${(@Q)before}" "${(Q)PREFIX}" 2>/dev/null)}")
    if [[ $lines[1] == files ]]; then
        compset -P '*='
        _files
        return
    fi
    found=() explained=()
    for piece in "${(@)lines[2,-1]}"; do
        answer=${piece%%$tab*}
        if [[ $answer == *' ' ]]; then
            found+=("${answer% }")
            explained+=("${answer% }  ${piece#*$tab}")
        else
            open+=("$answer")
            open_explained+=("$answer  ${piece#*$tab}")
        fi
    done
    compadd -Q -l -d explained -a found
    local status_of_found=$?
    compadd -Q -S '' -l -d open_explained -a open || return $status_of_found
}
if [ "$funcstack[1]" = _rtactl ]; then _rtactl "$@"; else compdef _rtactl rtactl; fi
)";

// ---- fish ----------------------------------------------------------------------------------------------------------

constexpr std::string_view kFish = R"(# fish completion of rtactl, written by `rtactl completion fish`
function __rtactl_command --description 'The command before the cursor'
    set -l name
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case @VALUED@
                set -e words[1]
            case '-*'
            case '*'
                set -a name $words[1]
                contains -- "$name" @GROUPS@; or break
        end
        set -e words[1]
    end
    echo "$name"
end

function __rtactl_is --description 'Whether the command is this one'
    test (__rtactl_command) = "$argv"
end

function __rtactl_complete --description 'Completions that depend on the daemon'
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l program $words[1]
    set -e words[1]
    set -l word (commandline --current-token --cut-at-cursor)
    set -l lines ($program complete -- $words "$word" 2>/dev/null)
    if test "$lines[1]" = files
        __fish_complete_path "$word"
        return
    end
    set -e lines[1]
    string replace --regex ' \t' '\t' -- $lines
end

function __rtactl_hosts --description 'Hosts of the configuration file'
    set -l program (commandline --current-process --tokenize --cut-at-cursor)[1]
    set -l lines ($program complete -- --host '' 2>/dev/null)
    set -e lines[1]
    string replace --regex ' \t' '\t' -- $lines
end

complete -c rtactl -f
complete -c rtactl -n 'not contains -- (__rtactl_command) \'\' @GROUPS@' -a '(__rtactl_complete)'
)";

std::string bash_options(const CommandTable& table) {
    std::string cases;
    for_each_command(table, [&](const Command& command, std::string_view, std::string_view) {
        if (command.options.empty()) return;
        cases.append("            ").append(in_quotes(command.name)).append(") answer+=' ");
        cases.append(joined(option_names(command.options), " ")).append("' ;;\n");
    });
    return cases;
}

/// Returns "'osc:A sine wave.'", the form that _describe expects.
std::string described(std::string_view name, std::string_view help) {
    return in_quotes(replaced(std::string{name}, ":", "\\:") + ":" + std::string{help});
}

std::string zsh_options_of(std::span<const Option> options) {
    std::vector<std::string> rows;
    for (const Option& option : options) rows.push_back(described(option.name, option.help));
    return joined(rows, " ");
}

std::string zsh_options(const CommandTable& table) {
    std::string cases;
    for_each_command(table, [&](const Command& command, std::string_view, std::string_view) {
        if (command.options.empty()) return;
        cases.append("            (").append(in_quotes(command.name)).append(") found+=(");
        cases.append(zsh_options_of(command.options)).append(") ;;\n");
    });
    return cases;
}

std::string zsh_commands(const CommandTable& table, std::string_view group) {
    std::string rows;
    if (group.empty()) {
        for (const std::string_view name : groups(table))
            rows.append("            ").append(described(name, group_help(table, name))).append("\n");
    }
    for_each_command(table, [&](const Command& command, std::string_view of_group, std::string_view name) {
        if (of_group == group) rows.append("            ").append(described(name, command.help)).append("\n");
    });
    return rows;
}

std::string fish_line(std::string_view condition, std::string_view what, std::string_view help) {
    return "complete -c rtactl -n " + in_quotes(condition) + " " + std::string{what} + " -d " + in_quotes(help) + "\n";
}

/// Returns the line that declares an option to fish, with or without a value.
std::string fish_option(std::string_view condition, const Option& option) {
    const bool is_long = option.name.starts_with("--");
    std::string what = (is_long ? "-l " : "-s ") + std::string{option.name.substr(is_long ? 2 : 1)};
    if (option.expects == Expects::host) {
        what += " -x -a '(__rtactl_hosts)'";
    } else if (!option.value_name.empty()) {
        what += option.expects == Expects::file ? " -r -F" : " -x";
    }
    return fish_line(condition, what, option.help);
}

std::string fish_is(std::string_view command) { return "__rtactl_is " + std::string{command}; }

}  // namespace

std::string bash_completion(const CommandTable& table) {
    std::string group_commands;
    for (const std::string_view group : groups(table)) {
        group_commands.append("        ").append(group).append(") answer=");
        group_commands.append(in_quotes(joined(table.second_words(group), " "))).append(" ;;\n");
    }
    std::string script{kBash};
    script = replaced(script, "@VALUED@", valued_options(table));
    script = replaced(script, "@GROUPS@", joined(groups(table), "|"));
    script = replaced(script, "@GLOBAL_OPTIONS@", joined(option_names(global_options()), " "));
    script = replaced(script, "@OPTIONS@", bash_options(table));
    script = replaced(script, "@COMMANDS@", joined(table.first_words(Place::command_line), " "));
    return replaced(script, "@GROUP_COMMANDS@", group_commands);
}

std::string zsh_completion(const CommandTable& table) {
    std::string group_commands;
    for (const std::string_view group : groups(table)) {
        group_commands.append("        (").append(group).append(") found=(\n");
        group_commands.append(zsh_commands(table, group)).append("        ) ;;\n");
    }
    std::string script{kZsh};
    script = replaced(script, "@VALUED@", valued_options(table));
    script = replaced(script, "@GROUPS@", joined(groups(table), "|"));
    script = replaced(script, "@GLOBAL_OPTIONS@", zsh_options_of(global_options()));
    script = replaced(script, "@OPTIONS@", zsh_options(table));
    script = replaced(script, "@COMMANDS@", zsh_commands(table, ""));
    return replaced(script, "@GROUP_COMMANDS@", group_commands);
}

std::string fish_completion(const CommandTable& table) {
    std::string script{kFish};
    script = replaced(script, "@VALUED@", replaced(valued_options(table), "|", " "));
    script = replaced(script, "@GROUPS@", joined(groups(table), " "));
    for (const std::string_view group : groups(table))
        script += fish_line(fish_is("''"), "-a " + std::string{group}, group_help(table, group));
    for_each_command(table, [&](const Command& command, std::string_view group, std::string_view name) {
        script += fish_line(fish_is(group.empty() ? "''" : group), "-a " + std::string{name}, command.help);
        for (const Option& option : command.options) script += fish_option(fish_is(command.name), option);
    });
    for (const Option& option : global_options()) script += fish_option("true", option);
    return script;
}

}  // namespace rta::rtactl
