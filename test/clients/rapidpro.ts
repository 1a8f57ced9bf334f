import { type Client, type SendAnswer, wamidOf } from "./driver.ts";
import { wire } from "./wire.ts";
import * as written from "./written-messages.ts";

const NEVER = "not one of its calls";

/** The habits of RapidPro's courier on its channel for 360dialog. */
export const rapidPro: Client = {
  name: "RapidPro courier, 360dialog",
  notOffered: {
    imageById: "sends files by link",
    reaction: NEVER,
    readAndTyping: NEVER,
    upload: NEVER,
    downloadWithoutCredential: "its key comes with every call",
    delete: NEVER,
    listTemplates: NEVER,
  },
  async open({ url: base, token }) {
    const http = wire({ "D360-API-KEY": token, accept: "application/json" });
    const send = async (to: string, content: object) => {
      const body = { messaging_product: "whatsapp", recipient_type: "individual", to, ...content };
      return wamidOf(await http.post<SendAnswer>(`${base}/messages`, body));
    };
    const lookUp = async (id: string) => {
      const { url } = await http.get<{ url: string }>(`${base}/${id}`);
      return url.replace("https://lookaside.fbsbx.com", base);
    };
    return {
      text: (to, body) => send(to, { type: "text", text: { body, preview_url: false } }),
      imageByLink: (to, link) => send(to, { type: "image", image: { link } }),
      buttons: (to) => send(to, written.buttons),
      list: (to) => send(to, written.list),
      template: (to, name) => send(to, written.template(name)),
      lookUp,
      download: async (id) => http.getBytes(await lookUp(id)),
    };
  },
};
