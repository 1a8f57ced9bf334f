import { type Client, type SendAnswer, wamidOf } from "./driver.ts";
import { wire } from "./wire.ts";
import * as written from "./written-messages.ts";

const NEVER = "not one of its calls";

/** The habits of Typebot's provider "360dialog". */
export const typebot: Client = {
  name: "Typebot, 360dialog",
  notOffered: {
    imageById: "sends files by link",
    template: "answers within the window only",
    reaction: NEVER,
    readAndTyping: NEVER,
    upload: NEVER,
    downloadWithoutCredential: "its key comes with every call",
    delete: NEVER,
    listTemplates: NEVER,
  },
  async open({ url: base, token }) {
    const http = wire({ "D360-Api-Key": token });
    const send = async (to: string, content: object) => {
      const body = { messaging_product: "whatsapp", to, ...content };
      return wamidOf(await http.post<SendAnswer>(`${base}/messages`, body));
    };
    const lookUp = async (id: string) => (await http.get<{ url: string }>(`${base}/${id}`)).url;
    return {
      text: (to, body) => send(to, { type: "text", text: { body } }),
      imageByLink: (to, link) => send(to, { type: "image", image: { link } }),
      buttons: (to) => send(to, written.buttons),
      list: (to) => send(to, written.list),
      lookUp,
      async download(id) {
        const { pathname, search } = new URL(await lookUp(id));
        return http.getBytes(base + pathname + search);
      },
    };
  },
};
