import { loadPackage } from "./packages.ts";

/** What the process is asked to do, and what came of it. */
export type MetaCall = { id: number; method: string; input: unknown[] };
export type MetaReply = { id: number; status: number; body: unknown };

const { default: exported } = await loadPackage("whatsapp");
const WhatsApp = "default" in exported ? exported.default : exported;
const whatsapp = new WhatsApp();
whatsapp.requester.port = Number(process.argv[2]);

process.on("message", (message) => {
  const { id, method, input } = message as MetaCall;
  void (async () => {
    const answer = await whatsapp.messages[method]?.(...(input as never[]));
    const body = await answer?.responseBodyToJSON();
    process.send?.({ id, status: answer?.statusCode() ?? 0, body } satisfies MetaReply);
  })();
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
