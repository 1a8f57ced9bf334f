/** By name, which may be of two words, such as `keys reseal`. */
export type Commands = Record<string, { summary: string; run: (args: string[]) => Promise<void> }>;

/** Exit codes: 0, 1 failed, 2 usage. */
export async function runCommand(
  argv: string[],
  commands: Commands,
  io: { write: (text: string) => void; writeError: (text: string) => void },
): Promise<number> {
  const words = Object.hasOwn(commands, argv.slice(0, 2).join(" ")) ? 2 : 1;
  const name = argv.length === 0 ? undefined : argv.slice(0, words).join(" ");
  const args = argv.slice(words);
  const usage = usageText(commands);
  if (name === undefined || name === "--help" || name === "help") {
    io.write(usage);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    io.writeError(`gateway: there is no command ${JSON.stringify(name)}\n${usage}`);
    return 2;
  }
  try {
    await command.run(args);
    return 0;
  } catch (error) {
    io.writeError(`gateway ${name}: ${explain(error)}\n`);
    return 1;
  }
}

function usageText(commands: Commands): string {
  const rows = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(14)}${summary}`,
  );
  return `usage: gateway <command>\n\n${rows.join("\n")}\n`;
}

/** One line, with the reasons behind it; a stack tells an operator nothing. */
function explain(error: unknown): string {
  const reasons: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    reasons.push(at.message || at.name);
  }
  const told = reasons.filter((reason, index) => !reasons[index - 1]?.includes(reason));
  return told.length > 0 ? told.join(": ") : String(error);
}
