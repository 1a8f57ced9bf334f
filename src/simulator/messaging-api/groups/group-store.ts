import { newGroupId, randomHex } from "../../ids.ts";
import { PerOwner } from "../../per-owner.ts";

/** A user who asks to be let in. */
export type JoinRequest = { join_request_id: string; wa_id: string; creation_timestamp: number };

/** One group of one number. */
export type Group = {
  id: string;
  subject: string;
  description: string;
  join_approval_mode: string;
  creation_timestamp: number;
  suspended: boolean;
  invite_link: string;
  participants: string[];
  joinRequests: JoinRequest[];
};

function newInviteLink(): string {
  return `https://chat.whatsapp.com/${randomHex(22)}`;
}

/** The number has no such group. */
export class GroupNotFound extends Error {
  constructor(groupId: string) {
    super(`there is no group ${groupId}`);
  }
}

/** The groups of every number. */
export class GroupStore {
  readonly #byNumber = new PerOwner(() => new Map<string, Group>());

  list(phoneNumberId: string): Group[] {
    return [...this.#byNumber.of(phoneNumberId).values()];
  }

  find(phoneNumberId: string, groupId: string): Group | undefined {
    return this.#byNumber.of(phoneNumberId).get(groupId);
  }

  create(
    phoneNumberId: string,
    chosen: Pick<Group, "subject" | "description" | "join_approval_mode">,
  ): Group {
    const group: Group = {
      ...chosen,
      id: newGroupId(phoneNumberId),
      creation_timestamp: Math.floor(Date.now() / 1000),
      suspended: false,
      invite_link: newInviteLink(),
      participants: [],
      joinRequests: [],
    };
    this.#byNumber.of(phoneNumberId).set(group.id, group);
    return group;
  }

  delete(phoneNumberId: string, groupId: string): void {
    this.#byNumber.of(phoneNumberId).delete(groupId);
  }

  requestToJoin(phoneNumberId: string, groupId: string, user: string): JoinRequest {
    const group = this.find(phoneNumberId, groupId);
    if (group === undefined) {
      throw new GroupNotFound(groupId);
    }
    const request = {
      join_request_id: randomHex(24),
      wa_id: user,
      creation_timestamp: Math.floor(Date.now() / 1000),
    };
    group.joinRequests.push(request);
    return request;
  }

  /** The old link is dead from here on. */
  renewInviteLink(group: Group): void {
    group.invite_link = newInviteLink();
  }
}
