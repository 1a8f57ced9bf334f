import {
  type Client,
  ClientFailure,
  type ErrorAnswer,
  type SendAnswer,
  type TemplatePage,
  TEMPLATES_A_PAGE,
  wamidOf,
} from "./driver.ts";
import { loadPackage } from "./packages.ts";
import * as written from "./written-messages.ts";

/** ky's error, by its looks: each version brings a ky of its own. */
type HttpError = Error & { response: Response; data?: ErrorAnswer };

async function read<Answer>(call: Promise<Response>): Promise<Answer> {
  try {
    return (await (await call).json()) as Answer;
  } catch (thrown) {
    const error = thrown as HttpError;
    if (error.name !== "HTTPError") {
      throw error;
    }
    // From ky 2 on the body is read already.
    const body = error.data ?? ((await error.response.json()) as ErrorAnswer);
    const { status } = error.response;
    throw new ClientFailure({ kind: error.name, status, code: body.error.code }, error);
  }
}

const greatDetail = (
  version: "8.4.0" | "9.2.0",
  name: "great-detail-whatsapp-8" | "great-detail-whatsapp-9",
): Client => ({
  name: `@great-detail/whatsapp ${version}`,
  notOffered: {},
  async open({ url, token, phoneNumberId: phoneNumberID, wabaId }) {
    const { Client } = await loadPackage(name);
    const authorization = `Bearer ${token}`;
    const { message, media, template } = new Client({
      ...(version === "8.4.0" ? { prefixUrl: url } : { baseUrl: url }),
      graphVersion: "v23.0",
      request: { headers: { authorization } },
    });
    const send = async (to: string, content: object) =>
      wamidOf(await read<SendAnswer>(message.createMessage({ phoneNumberID, to, ...content })));
    const lookUp = async (mediaID: string) =>
      (await read<{ url: string }>(media.getURL({ mediaID, phoneNumberID }))).url;
    const download = async (mediaID: string, request: object) => {
      const file = await media.download({ mediaURL: await lookUp(mediaID), request });
      return Buffer.from(await file.arrayBuffer());
    };
    return {
      text: (to, body) => send(to, { type: "text", text: { body } }),
      imageById: (to, id) => send(to, { type: "image", image: { id } }),
      imageByLink: (to, link) => send(to, { type: "image", image: { link } }),
      buttons: (to) => send(to, written.buttons),
      list: (to) => send(to, written.list),
      template: (to, templateName) => send(to, written.template(templateName)),
      reaction: (to, wamid, emoji) => send(to, written.reaction(wamid, emoji)),
      readAndTyping: async (message_id) => {
        const status = { message_id, status: "read", typing_indicator: { type: "text" } };
        const call = message.createStatus({ phoneNumberID, ...status });
        return (await read<{ success: boolean }>(call)).success;
      },
      upload: async (bytes) => {
        // Without a file name; 9.2.0 and 8.4.0 write it as `filename="undefined"`.
        const file = new Blob([bytes], { type: "image/png" });
        const call = media.upload({ phoneNumberID, file, mimeType: "image/png" });
        return (await read<{ id: string }>(call)).id;
      },
      lookUp,
      download: (mediaID) => download(mediaID, { headers: { authorization } }),
      downloadWithoutCredential: (mediaID) => download(mediaID, {}),
      delete: async (mediaID) =>
        (await read<{ success: boolean }>(media.delete({ mediaID, phoneNumberID }))).success,
      async listTemplates() {
        const names: string[] = [];
        let after: string | undefined;
        for (;;) {
          const page = await read<TemplatePage>(
            template.list(wabaId, {
              limit: TEMPLATES_A_PAGE,
              ...(after !== undefined && { request: { searchParams: { after } } }),
            }),
          );
          names.push(...page.data.map(({ name: each }) => each));
          if (page.paging?.next === undefined) {
            return names;
          }
          after = page.paging.cursors?.after;
        }
      },
    };
  },
});

export const greatDetail8 = greatDetail("8.4.0", "great-detail-whatsapp-8");
export const greatDetail9 = greatDetail("9.2.0", "great-detail-whatsapp-9");
