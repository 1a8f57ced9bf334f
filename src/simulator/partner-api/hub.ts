import { randomDigits } from "../ids.ts";
import type { NewPhoneNumber, PhoneNumber } from "../numbers/phone-number.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import { type Channel, type ChannelChange, CREATED, WORKING } from "./channel.ts";
import { type HubClient, type NewHubClient, newHubClient } from "./hub-client.ts";
import type { PartnerAccount } from "./partner-account.ts";

/** Nothing at the hub has this id. */
export class HubThingNotFound extends Error {
  constructor(what: "client" | "channel", id: string) {
    super(`there is no ${what} ${id}`);
  }
}

/** Another client has this id already. */
export class HubClientExists extends Error {
  constructor(id: string) {
    super(`client ${id} exists already`);
  }
}

/** Whose the numbers are that were made without a word about a client. */
const FIRST_CLIENT_ID = "FirstCL";

type OwnPart = Omit<Channel, "phoneNumber" | "client">;

/** The partner's clients and their channels. Not in the state file, as the numbers are. */
export class Hub {
  readonly account: PartnerAccount = {
    brandName: "Simulated Partner",
    webhookUrl: null,
    redirectUrl: null,
    autoApprove: false,
  };
  readonly #phoneNumbers: PhoneNumbers;
  readonly #rotationClearsWebhook: boolean;
  readonly #clients = new Map<string, HubClient>();
  readonly #channels = new Map<string, OwnPart>();

  constructor(parts: { phoneNumbers: PhoneNumbers; rotationClearsWebhook: boolean }) {
    this.#phoneNumbers = parts.phoneNumbers;
    this.#rotationClearsWebhook = parts.rotationClearsWebhook;
  }

  createClient(chosen: NewHubClient): HubClient {
    const client = newHubClient(chosen);
    if (this.#clients.has(client.id)) {
      throw new HubClientExists(client.id);
    }
    this.#clients.set(client.id, client);
    return client;
  }

  listClients(): HubClient[] {
    return [...this.#clients.values()];
  }

  getClient(id: string): HubClient {
    const client = this.#clients.get(id);
    if (client === undefined) {
      throw new HubThingNotFound("client", id);
    }
    return client;
  }

  /** A new number of the client, as it is right after the signup unless told otherwise. */
  createChannel(clientId: string, chosen: NewPhoneNumber, state: ChannelChange = {}): Channel {
    this.getClient(clientId);
    const { channelId: id } = this.#phoneNumbers.create(chosen);
    const asCreated = { ...WORKING, clientId };
    this.#channels.set(id, { id, createdAt: new Date(), state: asCreated, keys: [] });
    this.changeChannel(id, { ...CREATED, ...state });
    return this.getChannel(id);
  }

  listChannels(): Channel[] {
    return this.#phoneNumbers.list().map((phoneNumber) => this.#join(phoneNumber));
  }

  getChannel(id: string): Channel {
    const found = this.#phoneNumbers.list().find(({ channelId }) => channelId === id);
    if (found === undefined) {
      throw new HubThingNotFound("channel", id);
    }
    return this.#join(found);
  }

  changeChannel(id: string, { running, ...change }: ChannelChange): void {
    const { phoneNumberId } = this.getChannel(id).phoneNumber;
    this.getClient(change.clientId ?? this.#ownPart(id).state.clientId);
    Object.assign(this.#ownPart(id).state, change);
    if (running !== undefined) {
      this.#phoneNumbers.setState(phoneNumberId, { notRunning: !running });
    }
  }

  /** A new key for the channel's number; every older one is dead from here on. */
  createKey(id: string): { keyId: string; apiKey: string } {
    const { keys, phoneNumber } = this.getChannel(id);
    const apiKey = this.#replaceKey(phoneNumber.phoneNumberId);
    revokeAll(keys);
    const keyId = randomDigits(6);
    keys.push({ id: keyId, createdAt: new Date(), revokedAt: null });
    return { keyId, apiKey };
  }

  /** Leaves the channel without a key that works. */
  deleteKeys(id: string): void {
    const { keys, phoneNumber } = this.getChannel(id);
    this.#replaceKey(phoneNumber.phoneNumberId);
    revokeAll(keys);
  }

  #replaceKey(phoneNumberId: string): string {
    return this.#phoneNumbers.rotateKey(phoneNumberId, {
      clearWebhook: this.#rotationClearsWebhook,
    });
  }

  #join(phoneNumber: PhoneNumber): Channel {
    const own = this.#ownPart(phoneNumber.channelId);
    return { ...own, phoneNumber, client: this.getClient(own.state.clientId) };
  }

  /** A number that was made without a word about its channel gets one when it is first asked for. */
  #ownPart(id: string): OwnPart {
    const known = this.#channels.get(id);
    if (known !== undefined) {
      return known;
    }
    if (!this.#clients.has(FIRST_CLIENT_ID)) {
      this.createClient({ id: FIRST_CLIENT_ID, name: "First Client" });
    }
    const state = { ...WORKING, clientId: FIRST_CLIENT_ID };
    const made: OwnPart = { id, createdAt: new Date(), state, keys: [] };
    this.#channels.set(id, made);
    return made;
  }
}

function revokeAll(keys: Channel["keys"]): void {
  for (const key of keys) {
    key.revokedAt ??= new Date();
  }
}
