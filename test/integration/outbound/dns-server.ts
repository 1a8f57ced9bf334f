import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";

/** A DNS server that says something else each time it is asked. */
export type DnsServer = AsyncDisposable & {
  /** c-ares, asking this server and no other. */
  resolver: Resolver;
  /** The IPv4 addresses of each answer in turn; the last one stays. */
  answers: string[][];
  /** How often it was asked for them. */
  asked: number;
};

const TYPE_A = 1;
const ANSWER_NO_ERROR = 0x8180;
const NAME_OF_QUESTION = 0xc00c;
const QUESTION_AT = 12;

/** Speaks DNS over UDP on loopback (RFC 1035, section 4), every answer with a TTL of 0. */
export async function startDnsServer(answers: string[][]): Promise<DnsServer> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const server: DnsServer = {
    resolver,
    answers,
    asked: 0,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
  socket.on("message", (query, { port: from, address }) => {
    const nameEnd = query.indexOf(0, QUESTION_AT) + 1;
    const isA = query.readUInt16BE(nameEnd) === TYPE_A;
    const found = isA
      ? (server.answers[server.asked++] ?? server.answers.at(-1) ?? [])
      : ([] as string[]);
    socket.send(replyTo(query, nameEnd + 4, found), from, address);
  });
  return server;
}

function replyTo(query: Buffer, questionEnd: number, addresses: string[]): Buffer {
  const head = Buffer.alloc(QUESTION_AT);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(ANSWER_NO_ERROR, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const record = Buffer.alloc(16);
    record.writeUInt16BE(NAME_OF_QUESTION, 0);
    record.writeUInt16BE(TYPE_A, 2);
    record.writeUInt16BE(1, 4); // the Internet
    record.writeUInt32BE(0, 6); // TTL
    record.writeUInt16BE(4, 10);
    record.set(address.split(".").map(Number), 12);
    return record;
  });
  return Buffer.concat([head, query.subarray(QUESTION_AT, questionEnd), ...records]);
}
