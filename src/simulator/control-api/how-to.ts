import { FAILURE_REASONS } from "../messages/failing-recipients.ts";
import { SIMULATED_PARTNER } from "../partner-api/partner-account.ts";

const failures = FAILURE_REASONS.map(({ code, title }) => `  …${code}  ${title}`).join("\n");

/** How to drive a running simulator with curl; paths are relative to its URL. */
export const HOW_TO = `A simulated 360dialog. Messaging API, with the header D360-API-KEY:
  POST /messages                      send, mark as read, typing; also /marketing_messages
  POST /media   GET | DELETE /ID      files; then GET /whatsapp_business/attachments/?mid&ext&hash
  GET | POST | DELETE /message_templates, /v1/configs/templates[/NAME]
  GET  /health_status?fields=display_phone_number
  GET | POST /v1/configs/webhook      {"url":"http://127.0.0.1:8080/hook","headers":{"x-secret":"s"}}
  and groups, calls, profile, settings, block list, QR codes, flows and the other webhooks
Partner API, with the header X-API-Key: ${SIMULATED_PARTNER.apiKey}
  /api/v2/partners/${SIMULATED_PARTNER.partnerId}/clients, /channels?filters={"id":"ID"}, /webhook_url
  POST …/channels/ID/api_keys         a new key, and the death of the old one
  GET /dashboard/app/${SIMULATED_PARTNER.partnerId}/permissions?redirect_url&state&client_id    onboarding
Control API, without a key:
  GET | POST /simulator/numbers       {"phone_number_id","display_phone_number","waba_id"}, all optional
  GET | PATCH /simulator/numbers/ID   {"disabled":true,"unpaid":true,"not_running":true,"registration_blocked":true,"pin":"123456"}
  POST /simulator/numbers/ID/rotate-key
  POST /simulator/numbers/ID/messages {"from":"4917012345678","text":"Hello","profile_name":"Ada"}
                                      or "message":{"type":"image","image":{"id":"1"}};
                                      "user_id" beside or in place of "from", "group_id"
  POST /simulator/numbers/ID/calls    {"from":"4917012345678","event":"connect"} or "terminate"
  POST /simulator/numbers/ID/preferences      {"from":"4917012345678","value":"stop"} or "resume"
  POST /simulator/numbers/ID/statuses {"message_id":"wamid.X","to":"49170","status":"failed","code":131047}
  POST /simulator/numbers/ID/notifications    any body, posted to the webhook as it is
  POST /simulator/numbers/ID/media?filename=a.jpg     the file, with its content-type; gives an id
  GET | POST /simulator/numbers/ID/templates  {"name":"hi","language":"de","status":"APPROVED"}
  PATCH /simulator/numbers/ID/templates/NAME  {"status":"PAUSED"}, told to the webhook
  POST /simulator/numbers/ID/groups/GROUP/join-requests       {"user":"4917012345678"}
  PUT  /simulator/limits, /simulator/numbers/ID/limits        {} lifts them
                                      {"throughput":{"per_second":80,"status":429},
                                       "pair":{"every_ms":6000,"burst":45,"status":400},
                                       "endpoint":{"per_second":10,"path":"/messages","form":"A"},
                                       "uploads":{"per_second":25,"form":"C"}}
  GET | POST | DELETE /simulator/faults       {"kind":"answer","status":429,"body":{},"times":2}
                                      kind: answer, delay, reset_before_headers, reset_after_headers,
                                      no_answer; also path ("*" at its end = any rest), method,
                                      phone_number_id, delay_ms, after_handling
  GET | DELETE /simulator/requests    the Messaging API calls that came in
  GET | DELETE /simulator/notifications       webhooks with their attempts
  GET | POST /simulator/clients       {"id","name","email"}, all optional
  GET | POST /simulator/channels      {"client_id":"ID"}, and as for numbers and below
  GET | PATCH /simulator/channels/ID  {"status":"ready","running":true,"permission":"shared",
                                       "live":true}; told to the partner unless "quiet":true
  GET | POST /simulator/partner-events        {"event":"account_restriction","channel_id":"ID","data":{}}
  POST /simulator/partner-events/replay       {"order":"shuffled","times":2}; same, reversed, shuffled
Messages are accepted, then sent, delivered and read. Recipients that end in a code fail with it:
${failures}
`;
