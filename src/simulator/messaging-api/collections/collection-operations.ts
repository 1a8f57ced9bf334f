import { randomDigits } from "../../ids.ts";
import type { JsonObject } from "../../json.ts";
import { PerOwner } from "../../per-owner.ts";
import { MetaRefusal, parameterRequired } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationRow } from "../operation.ts";
import { pageOf } from "../paging.ts";
import { parameters } from "../parameters.ts";
import { type Collection, COLLECTIONS } from "./collections.ts";

function rowsOf({ edge, required, present }: Collection): OperationRow[] {
  const kept = new PerOwner(() => new Map<string, JsonObject>());
  return [
    [
      "GET",
      `/${edge}`,
      proxied((call) => {
        const { wabaId } = call.phoneNumber;
        const all = [...kept.of(wabaId)];
        const page = pageOf({ call, node: wabaId, edge, items: all, keyOf: ([id]) => id });
        const data = page.items.map(([id, members]) => present(id, members));
        return { data, paging: page.paging };
      }),
    ],
    [
      "POST",
      `/${edge}`,
      proxied((call) => {
        const members = parameters(call);
        if (members[required] === undefined) {
          throw new MetaRefusal(parameterRequired(required));
        }
        const id = randomDigits(16);
        kept.of(call.phoneNumber.wabaId).set(id, members);
        return { id, success: true };
      }),
    ],
  ];
}

/** Every collection of the table, kept for each WABA. */
export function collectionOperations(): OperationRow[] {
  return COLLECTIONS.flatMap(rowsOf);
}
