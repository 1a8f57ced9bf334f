// Runs a script of this project on the project's own Node.js, and installs first what is missing:
//   node scripts/run.mjs SCRIPT [ARGUMENTS]
// Plain JavaScript without dependencies, because whatever Node.js (20 or later) is there runs it.
// package.json calls it by `exec`: npm hands signals to its child and waits for that one, and a shell
// in between would end at once and pass nothing on.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODULES = join(ROOT, "node_modules");
const NODE = join(MODULES, ".bin/node");
const FOLLOW_PARENT = new URL("follow-parent.mjs", import.meta.url).href;
/** One Ctrl-C arrives up to twice: from the terminal, and from npm, which passes it on. */
const SAME_SIGNAL_MS = 500;
const PARENT_CHECK_MS = 1000;

const [script, ...scriptArguments] = process.argv.slice(2);
if (script === undefined) {
  process.stderr.write("usage: node scripts/run.mjs SCRIPT [ARGUMENTS]\n");
  process.exitCode = 2;
} else {
  process.exitCode = (await install()) || (await runScript());
}

async function install() {
  if (!isInstalled()) {
    process.stderr.write("installing what is missing (npm ci) …\n");
    // The directory of the commands that npm is about to replace must not be where it finds Node.js.
    const path = (process.env.PATH ?? "")
      .split(delimiter)
      .filter((directory) => !directory.startsWith(MODULES))
      .join(delimiter);
    let output = "";
    const exitCode = await run("npm", ["ci", "--include=dev"], {
      env: { ...process.env, PATH: path },
      stdio: ["ignore", "pipe", "pipe"],
      onOutput: (text) => (output += text),
    });
    if (exitCode !== 0) {
      process.stderr.write(`${output}npm ci failed\n`);
      return exitCode;
    }
  }
  if (!existsSync(NODE)) {
    process.stderr.write(
      "node_modules/.bin/node is missing: npm was told to run no install scripts.\n" +
        "Allow them (npm config set ignore-scripts false), then: npm rebuild node\n",
    );
    return 1;
  }
  return 0;
}

/** Whether node_modules holds what package-lock.json asks for on this platform. */
function isInstalled() {
  const wanted = readPackages(join(ROOT, "package-lock.json"));
  const found = readPackages(join(MODULES, ".package-lock.json"));
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    const installed = found[path];
    return installed === undefined
      ? path === "" || optional || devOptional
      : installed.version === version && installed.integrity === integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return {};
  }
}

function runScript() {
  return run(NODE, ["--import", FOLLOW_PARENT, script, ...scriptArguments], {
    env: { ...process.env, FOLLOW_PARENT_PID: String(process.pid) },
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
}

/**
 * Runs a program in a process group of its own. So a Ctrl-C does not reach it from the terminal as
 * well as from here: it gets each signal once. Gives its exit code.
 */
function run(command, args, { env, stdio, onOutput }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio, detached: true });
    child.stdout?.on("data", onOutput);
    child.stderr?.on("data", onOutput);
    const stopForwarding = forwardSignals(child);
    child.on("error", (error) => {
      stopForwarding();
      process.stderr.write(`cannot run ${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on("close", (exitCode, signal) => {
      stopForwarding();
      resolve(exitCode ?? 128 + constants.signals[signal]);
    });
  });
}

function forwardSignals(child) {
  let lastMs = Number.NEGATIVE_INFINITY;
  const forward = (signal) => {
    const isRepeat = performance.now() - lastMs < SAME_SIGNAL_MS;
    if (child.pid === undefined || isRepeat) {
      return;
    }
    lastMs = performance.now();
    try {
      // To the group, as a terminal would. A closed terminal asks to stop like anyone else.
      process.kill(-child.pid, signal === "SIGHUP" ? "SIGTERM" : signal);
    } catch {
      // It has ended by itself.
    }
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) {
    process.on(signal, forward);
  }
  const parent = process.ppid;
  const watch = setInterval(() => {
    // npm was killed.
    if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent) {
      clearInterval(watch);
      forward("SIGTERM");
    }
  }, PARENT_CHECK_MS);
  return () => {
    clearInterval(watch);
    for (const signal of signals) {
      process.off(signal, forward);
    }
  };
}
