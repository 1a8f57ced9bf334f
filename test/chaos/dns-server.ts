import { createSocket } from "node:dgram";

export type DnsServer = {
  address: string;
  /** How long each question waits for its answer; some are not answered at all. */
  slowness: { delayMs: number; dropEvery: number };
  close: () => void;
};

const TYPE_A = 1;

/** Says of every name that it is 127.0.0.1 and has no other address (RFC 1035, section 4). */
export async function startDnsServer(): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const slowness = { delayMs: 0, dropEvery: 0 };
  let questions = 0;
  socket.on("message", (question, from) => {
    questions++;
    if (slowness.dropEvery > 0 && questions % slowness.dropEvery === 0) {
      return;
    }
    const end = question.indexOf(0, 12) + 5;
    const isA = question.readUInt16BE(end - 4) === TYPE_A;
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isA ? 1 : 0, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    // The name by reference to the question; class IN, no time to live: nothing is remembered.
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    const reply = Buffer.concat([head, question.subarray(12, end), ...(isA ? [answer] : [])]);
    setTimeout(() => socket.send(reply, from.port, from.address), slowness.delayMs);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  return { address: `127.0.0.1:${port}`, slowness, close: () => socket.close() };
}
