import { spawnSync } from "node:child_process";
import { type Browser, chromium } from "playwright-core";

const CHROMIUM = "chromium";

/** Whether there is a Chromium on the PATH; without one the tests that need it are skipped, by name. */
export const hasChromium = spawnSync(CHROMIUM, ["--version"]).status === 0;

/**
 * Chromium without a window. It goes nowhere but to this machine; `hosts` says which of its ports
 * stands for a host of the internet.
 */
export function openBrowser(options: { hosts: Record<string, string> }): Promise<Browser> {
  const rules = Object.entries(options.hosts).map(([host, place]) => `MAP ${host} ${place}`);
  const executablePath = spawnSync("sh", ["-c", `command -v ${CHROMIUM}`]).stdout;
  return chromium.launch({
    executablePath: executablePath.toString().trim(),
    args: [
      // The CI is root, and in a container.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=${[...rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"].join(",")}`,
    ],
  });
}
