import { chatwootCloud } from "./chatwoot-cloud.ts";
import { dialog360Docs } from "./dialog360-docs.ts";
import type { Client } from "./driver.ts";
import { greatDetail8, greatDetail9 } from "./great-detail.ts";
import { kapso } from "./kapso.ts";
import { metaWhatsApp } from "./meta-whatsapp.ts";
import { rapidPro } from "./rapidpro.ts";
import { typebot } from "./typebot.ts";
import { whatsappCloudApi } from "./whatsapp-cloudapi.ts";
import { whatsappCloudApiWrapper } from "./whatsappcloudapi-wrapper.ts";

/** Packages as they come from the registry, then clients written here after the habits of known ones. */
export const CLIENTS: readonly Client[] = [
  kapso,
  greatDetail8,
  greatDetail9,
  whatsappCloudApi,
  metaWhatsApp,
  whatsappCloudApiWrapper,
  dialog360Docs,
  rapidPro,
  chatwootCloud,
  typebot,
];
