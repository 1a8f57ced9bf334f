import { type Client, ClientFailure, type ErrorAnswer, wamidOf } from "./driver.ts";
import { loadPackage } from "./packages.ts";

/** The package throws an Error whose message ends with the answer. */
async function read<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    const answer = /^WhatsApp API Error: (\{.*\})$/s.exec((error as Error).message)?.[1];
    if (answer === undefined) {
      throw error;
    }
    const { code } = (JSON.parse(answer) as ErrorAnswer).error;
    throw new ClientFailure({ kind: "Error: WhatsApp API Error", code }, error);
  }
}

export const whatsappCloudApi: Client = {
  name: "@whatsapp-cloudapi/client 4.2.0",
  notOffered: {
    imageByLink: "sendImageMessage takes a media id only",
    reaction: "no such function",
    lookUp: "no such function",
    download: "no such function",
    downloadWithoutCredential: "no such function",
    delete: "no such function",
    listTemplates: "no such function",
  },
  async open({ url: baseUrl, token: accessToken, phoneNumberId: from }) {
    const api = await loadPackage("@whatsapp-cloudapi/client");
    const account = { accessToken, from, baseUrl };
    return {
      text: async (to, text) => wamidOf(await read(api.sendTextMessage({ ...account, to, text }))),
      imageById: async (to, mediaId) =>
        wamidOf(await api.sendImageMessage({ ...account, to, mediaId })),
      buttons: async (to) =>
        wamidOf(
          await api.sendButtonsMessage({
            ...account,
            to,
            bodyText: "Sure?",
            buttons: [{ id: "yes", title: "Yes" }],
          }),
        ),
      list: async (to) =>
        wamidOf(
          await api.sendListMessage({
            ...account,
            to,
            bodyText: "Which?",
            buttonText: "Choose",
            sections: [{ title: "All", rows: [{ id: "1", title: "One" }] }],
          }),
        ),
      template: async (to, templateName) =>
        wamidOf(
          await api.sendTemplateMessage({
            ...account,
            to,
            templateName,
            languageCode: "en_US",
            components: [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }],
          }),
        ),
      readAndTyping: async (messageId) => {
        const input = { ...account, messageId, showTypingIndicator: true };
        return (await api.markMessageRead(input)).success;
      },
      upload: async (bytes) => {
        const file = new File([bytes], "a.png", { type: "image/png" });
        return (await api.uploadMedia({ ...account, file })).id;
      },
    };
  },
};
