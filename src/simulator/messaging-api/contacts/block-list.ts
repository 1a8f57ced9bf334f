import { isObject } from "../../json.ts";
import { PerOwner } from "../../per-owner.ts";
import { MetaRefusal, parameterInvalid, parameterRequired } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationCall, OperationRow } from "../operation.ts";
import { pageOf } from "../paging.ts";
import { bodyParameters } from "../parameters.ts";

const USERS_MAX = 1_000;

type User = { input: string; wa_id: string };

function usersIn(call: OperationCall): User[] {
  const { block_users: users } = bodyParameters(call);
  if (!Array.isArray(users) || users.length === 0) {
    throw new MetaRefusal(parameterRequired("block_users"));
  }
  if (users.length > USERS_MAX) {
    throw new MetaRefusal(parameterInvalid(`At most ${USERS_MAX} users at once.`));
  }
  return users.map((entry: unknown) => {
    const input = isObject(entry) ? entry["user"] : undefined;
    if (typeof input !== "string" || input === "") {
      throw new MetaRefusal(parameterRequired("block_users[]['user']"));
    }
    return { input, wa_id: input.replaceAll(/[\s+()-]/g, "") };
  });
}

/** `/block_users`: whom a number does not want to hear from. */
export function blockListOperations(): OperationRow[] {
  const blocked = new PerOwner(() => new Set<string>());
  const change = (
    result: "added_users" | "removed_users",
    apply: (list: Set<string>, user: string) => unknown,
  ) =>
    proxied((call) => {
      const list = blocked.of(call.phoneNumber.phoneNumberId);
      const users = usersIn(call);
      users.forEach((user) => apply(list, user.wa_id));
      return { messaging_product: "whatsapp", block_users: { [result]: users } };
    });
  return [
    ["POST", "/block_users", change("added_users", (list, user) => list.add(user))],
    ["DELETE", "/block_users", change("removed_users", (list, user) => list.delete(user))],
    [
      "GET",
      "/block_users",
      proxied((call) => {
        const { phoneNumberId } = call.phoneNumber;
        const { items, paging } = pageOf({
          call,
          node: phoneNumberId,
          edge: "block_users",
          items: [...blocked.of(phoneNumberId)],
          keyOf: (user) => user,
        });
        const data = items.map((user) => ({ messaging_product: "whatsapp", wa_id: user }));
        return { data, paging };
      }),
    ],
  ];
}
