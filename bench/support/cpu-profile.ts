import { readFile } from "node:fs/promises";

type CpuProfile = {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  samples: number[];
  timeDeltas: number[];
};

export type SelfTime = { name: string; place: string; share: number };

/** Functions of V8's CPU profile by the time that each has to itself, as a share of the busy time. */
export async function readSelfTimes(file: string): Promise<SelfTime[]> {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, "utf8")) as CpuProfile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, { name: string; place: string; us: number }>();
  let busyUs = 0;
  samples.forEach((sample, index) => {
    const { functionName = "", url = "", lineNumber = -1 } = frames.get(sample) ?? {};
    if (functionName === "(idle)" || functionName === "(root)") {
      return;
    }
    const us = timeDeltas[index] ?? 0;
    busyUs += us;
    const place = url === "" ? "" : `${shorten(url)}:${lineNumber + 1}`;
    const key = `${functionName} ${place}`;
    const entry = times.get(key) ?? { name: functionName || "(anonymous)", place, us: 0 };
    entry.us += us;
    times.set(key, entry);
  });
  return [...times.values()]
    .toSorted((left, right) => right.us - left.us)
    .map(({ name, place, us }) => ({ name, place, share: us / busyUs }));
}

function shorten(url: string): string {
  return url.replace(/^.*\/node_modules\//, "").replace(/^file:\/\/.*\/(?=src\/)/, "");
}
