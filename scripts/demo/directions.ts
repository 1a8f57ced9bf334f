import { USER } from "./main-job.ts";
import { heading, write } from "./timeline.ts";

/** Where everything is, and what to paste. */
export function writeDirections(options: {
  url: string;
  simulatorUrl: string;
  partner: { id: string; secret: string };
  tenant: { client: { id: string; secret: string }; phoneNumberId: string };
}): void {
  const { url, simulatorUrl, partner, tenant } = options;
  const rows: [string, string][] = [
    ["gateway", url],
    ["contract", `openapi/openapi.yaml, also at ${url}/openapi.yaml`],
    ["partner", `client_id ${partner.id}  client_secret ${partner.secret}`],
    ["tenant", `client_id ${tenant.client.id}  client_secret ${tenant.client.secret}`],
    ["360dialog", `simulated at ${simulatorUrl}; ${simulatorUrl}/simulator tells how to drive it`],
  ];
  write();
  write(heading("Now yours"));
  write();
  for (const [name, value] of rows) {
    write(`  ${name.padEnd(9)}  ${value}`);
  }
  write();
  write(heading("Send a message (paste into another terminal; what follows appears here)"));
  write();
  write(sendCommand({ url, ...tenant }));
  write();
  write(heading("Let the user write back"));
  write();
  write(replyCommand(simulatorUrl, tenant.phoneNumberId));
  write();
}

/** For any shell of the POSIX kind; the token is cut out of the answer without another program. */
function sendCommand(options: {
  url: string;
  client: { id: string; secret: string };
  phoneNumberId: string;
}): string {
  const { url, client, phoneNumberId } = options;
  const message = { messaging_product: "whatsapp", to: USER, type: "text", text: { body: "Hi" } };
  return [
    `TOKEN=$(curl -sS -u '${client.id}:${client.secret}' -d grant_type=client_credentials ${url}/oauth2/token)`,
    `TOKEN=\${TOKEN#*'"access_token":"'}; TOKEN=\${TOKEN%%'"'*}`,
    `curl -sS -w '\\n' -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(message)}' \\`,
    `  ${url}/v23.0/${phoneNumberId}/messages`,
  ].join("\n");
}

function replyCommand(simulatorUrl: string, phoneNumberId: string): string {
  const message = JSON.stringify({ from: USER, text: "Hello back" });
  return `curl -sS -o /dev/null -d '${message}' ${simulatorUrl}/simulator/numbers/${phoneNumberId}/messages`;
}
