//! The help of the program itself: its commands in groups.

use clap::Command;

/// What stands below the commands.
pub const AFTER: &str = "\
`cloud-apps COMMAND --help` shows the options of a command.

Exit codes:
  0    done
  1    refused or failed
  2    the command line or the environment is wrong
  3    the bundle, the server or the app cannot be reached
  130  stopped with Ctrl-C

Set NO_COLOR=1 to switch colours off.";

/// A heading, what stands before the name of each command, and the commands.
pub type Group = (&'static str, &'static str, fn(Command) -> Command);

/// Makes the help show the commands in groups. Clap has one heading for all, so each group is rendered by a command of its
/// own: clap sets the columns and wraps the lines.
pub fn in_groups(command: Command, groups: &[Group], width: Option<usize>) -> Command {
    let heading = command.get_styles().get_header().to_owned();
    let sections = groups.iter().map(|(title, prefix, augment)| {
        let members = augment(Command::new("group"));
        let members = members.get_subcommands().map(|member| {
            let name = format!("{prefix}{}", member.get_name());
            Command::new(name).about(member.get_about().cloned().unwrap_or_default())
        });
        let group = Command::new("group").subcommands(members).disable_help_subcommand(true);
        let group = match width {
            Some(width) => group.term_width(width),
            None => group.max_term_width(100),
        };
        let rows = group.help_template("{subcommands}").render_help();
        format!("{heading}{title}:{heading:#}\n{}\n\n", rows.ansi().to_string().trim_end())
    });
    let sections = sections.collect::<Vec<_>>().concat();
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{sections}{heading}Options:{heading:#}\n{{options}}{{after-help}}"
    ))
}

#[cfg(test)]
mod tests {
    use crate::command::command_line;
    use clap::Command;

    /// Every command below this one, with how it is called.
    fn all(command: &Command, path: &str) -> Vec<(String, Command)> {
        let path = format!("{path}{} ", command.get_name());
        let mut found = vec![(path.clone(), command.clone())];
        found.extend(command.get_subcommands().flat_map(|below| all(below, &path)));
        found
    }

    #[test]
    fn help_wraps_at_any_width() {
        for width in [40, 80, 120] {
            let mut root = command_line(Some(width));
            root.build();
            for (path, mut command) in all(&root, "") {
                for help in [command.render_help(), command.render_long_help()] {
                    for line in help.to_string().lines() {
                        // Clap never breaks a usage line, and nobody can break one long word.
                        let words = line.split_whitespace().count();
                        let whole = line.starts_with("Usage:") || words < 2;
                        assert!(whole || line.chars().count() <= width, "{path}at {width}: {line:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_command_is_in_a_group() {
        let help = command_line(Some(80)).render_help().to_string();
        let (groups, _) = help.split_once("Options:").unwrap();
        let root = command_line(None);
        let operator = root.find_subcommand("operator").unwrap();
        let names = root.get_subcommands().map(|command| command.get_name().to_owned());
        let below = operator.get_subcommands().map(|command| format!("operator {}", command.get_name()));
        for name in names.filter(|name| name != "operator").chain(below) {
            let shown = groups.lines().filter(|line| line.trim_start().starts_with(&format!("{name}  ")));
            assert!(shown.count() == 1 || groups.contains(&format!("\n  {name}\n")), "{name}: {groups}");
        }
    }

    #[test]
    fn every_exit_code_is_documented() {
        let help = command_line(Some(80)).render_help().to_string();
        for code in ["0", "1", "2", "3", "130"] {
            assert!(
                help.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))),
                "{code}: {help}"
            );
        }
    }
}
