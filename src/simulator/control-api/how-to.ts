import { FAILURE_REASONS } from "../messages/failing-recipients.ts";

const failures = FAILURE_REASONS.map(({ code, title }) => `  …${code}  ${title}`).join("\n");

/** How to drive a running simulator with curl; paths are relative to its URL. */
export const HOW_TO = `A simulated 360dialog. Messaging API, with the header D360-API-KEY:
  POST /messages                      send, mark as read, typing
  GET  /health_status?fields=display_phone_number
  GET | POST /v1/configs/webhook      {"url":"http://127.0.0.1:8080/hook","headers":{"x-secret":"s"}}
Control API, without a key:
  GET | POST /simulator/numbers       {"phone_number_id","display_phone_number","waba_id"}, all optional
  GET | PATCH /simulator/numbers/ID   {"disabled":true,"unpaid":true,"not_running":true}
  POST /simulator/numbers/ID/rotate-key
  POST /simulator/numbers/ID/messages {"from":"4917012345678","text":"Hello","profile_name":"Ada"}
                                      or "message":{"type":"image","image":{"id":"1"}}
  POST /simulator/numbers/ID/notifications    any body, posted to the webhook as it is
  GET | POST | DELETE /simulator/faults       {"kind":"answer","status":429,"body":{},"times":2}
                                      kind: answer, delay, reset_before_headers, reset_after_headers,
                                      no_answer; also path ("*" = any), method, phone_number_id,
                                      delay_ms, after_handling
  GET | DELETE /simulator/requests    the Messaging API calls that came in
  GET | DELETE /simulator/notifications       webhooks with their attempts
Messages are accepted, then sent, delivered and read. Recipients that end in a code fail with it:
${failures}
`;
