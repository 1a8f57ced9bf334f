import { type Client, ClientFailure, TEMPLATES_A_PAGE, wamidOf } from "./driver.ts";
import { type KapsoError, loadPackage } from "./packages.ts";

export const kapso: Client = {
  name: "@kapso/whatsapp-cloud-api 0.3.0",
  readsRetryAfter: true,
  notOffered: {},
  async open({ url, token, phoneNumberId, wabaId }) {
    const { WhatsAppClient, GraphApiError } = await loadPackage("@kapso/whatsapp-cloud-api");
    const { messages, media, templates } = new WhatsAppClient({
      accessToken: token,
      baseUrl: url,
      graphVersion: "v23.0",
    });
    const read = async <Answer>(call: Promise<Answer>): Promise<Answer> => {
      try {
        return await call;
      } catch (error) {
        if (!(error instanceof GraphApiError)) {
          throw error;
        }
        const { name: kind, httpStatus: status, code, retry }: KapsoError = error;
        throw new ClientFailure({ kind, status, code, retryAfterMs: retry.retryAfterMs }, error);
      }
    };
    return {
      text: async (to, body) => wamidOf(await read(messages.sendText({ phoneNumberId, to, body }))),
      imageById: async (to, id) =>
        wamidOf(await messages.sendImage({ phoneNumberId, to, image: { id } })),
      imageByLink: async (to, link) =>
        wamidOf(await messages.sendImage({ phoneNumberId, to, image: { link, caption: "Here" } })),
      buttons: async (to) =>
        wamidOf(
          await messages.sendInteractiveButtons({
            phoneNumberId,
            to,
            bodyText: "Sure?",
            buttons: [{ id: "yes", title: "Yes" }],
          }),
        ),
      list: async (to) =>
        wamidOf(
          await messages.sendInteractiveList({
            phoneNumberId,
            to,
            bodyText: "Which?",
            buttonText: "Choose",
            sections: [{ title: "All", rows: [{ id: "1", title: "One" }] }],
          }),
        ),
      template: async (to, name) =>
        wamidOf(
          await messages.sendTemplate({
            phoneNumberId,
            to,
            template: {
              name,
              language: { code: "en_US" },
              components: [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }],
            },
          }),
        ),
      reaction: async (to, messageId, emoji) =>
        wamidOf(await messages.sendReaction({ phoneNumberId, to, reaction: { messageId, emoji } })),
      readAndTyping: async (messageId) => {
        const typingIndicator = { type: "text" };
        return (await messages.markRead({ phoneNumberId, messageId, typingIndicator })).success;
      },
      upload: async (file) => {
        const input = { phoneNumberId, type: "image/png", fileName: "a.png" };
        return (await media.upload({ ...input, file: new Blob([file], { type: "image/png" }) })).id;
      },
      lookUp: async (mediaId) => (await media.get({ mediaId, phoneNumberId })).url,
      download: async (mediaId) =>
        Buffer.from(await media.download({ mediaId, phoneNumberId, auth: "always" })),
      downloadWithoutCredential: async (mediaId) => Buffer.from(await media.download({ mediaId })),
      delete: async (mediaId) => (await media.delete({ mediaId, phoneNumberId })).success,
      async listTemplates() {
        const names: string[] = [];
        let after: string | undefined;
        for (;;) {
          const page = await templates.list({
            businessAccountId: wabaId,
            limit: TEMPLATES_A_PAGE,
            ...(after !== undefined && { after }),
          });
          names.push(...page.data.map(({ name }) => name));
          if (page.paging?.next === undefined) {
            return names;
          }
          after = page.paging.cursors?.after;
        }
      },
    };
  },
};
