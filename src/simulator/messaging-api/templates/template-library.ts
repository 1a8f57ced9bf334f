import { digitsFrom } from "../../ids.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationRow } from "../operation.ts";
import { pageOf } from "../paging.ts";

const ENTRIES = [
  ["shipment_confirmation", "ORDER_MANAGEMENT", "SHIPMENT_CONFIRMATION", "E_COMMERCE"],
  ["delivery_update", "ORDER_MANAGEMENT", "DELIVERY_UPDATE", "E_COMMERCE"],
  ["payment_reminder", "PAYMENTS", "PAYMENT_DUE_REMINDER", "FINANCIAL_SERVICES"],
  ["appointment_reminder", "EVENT_REMINDER", "APPOINTMENT_REMINDER", "FINANCIAL_SERVICES"],
  ["account_created", "ACCOUNT_UPDATES", "ACCOUNT_CREATION_CONFIRMATION", "FINANCIAL_SERVICES"],
] as const;

const LIBRARY = ENTRIES.map(([name, topic, usecase, industry]) => ({
  name,
  language: "en_US",
  category: "UTILITY",
  topic,
  usecase,
  industry: [industry],
  body: "Hello {{1}}, this is about {{2}}.",
  body_params: ["Ada", "your order"],
  body_param_types: ["TEXT", "TEXT"],
  buttons: [{ type: "URL", text: "View details", url: "https://www.example.com/" }],
  id: digitsFrom(`library ${name}`, 16),
}));

const FILTERS = ["name", "language", "topic", "usecase"] as const;

/** `GET /message_templates_library`: the same few entries for everybody. */
export function templateLibraryOperations(): OperationRow[] {
  return [
    [
      "GET",
      "/message_templates_library",
      proxied((call) => {
        const search = call.query.get("search") ?? "";
        const fitting = LIBRARY.filter(
          (entry) =>
            entry.name.includes(search) &&
            FILTERS.every((name) => [null, entry[name]].includes(call.query.get(name))),
        );
        const { items, paging } = pageOf({
          call,
          node: call.phoneNumber.wabaId,
          edge: "message_template_library",
          items: fitting,
          keyOf: ({ id }) => id,
        });
        return { data: items, paging };
      }),
    ],
  ];
}
