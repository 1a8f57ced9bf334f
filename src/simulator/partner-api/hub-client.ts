import { newDialog360Id } from "../ids.ts";

/** A customer of the partner at 360dialog, who owns channels. */
export type HubClient = {
  id: string;
  name: string;
  email: string;
  partnerPayload: string | null;
  maxChannels: number;
  createdAt: Date;
};

/** What may be chosen about a new client; the rest is made up. */
export type NewHubClient = { id?: string; name?: string; email?: string };

export function newHubClient(chosen: NewHubClient): HubClient {
  return {
    id: chosen.id ?? newDialog360Id("CL"),
    name: chosen.name ?? "Example Shop",
    email: chosen.email ?? "owner@example.com",
    partnerPayload: null,
    maxChannels: 10,
    createdAt: new Date(),
  };
}
