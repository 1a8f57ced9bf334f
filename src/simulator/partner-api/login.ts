import type { IncomingHttpHeaders } from "node:http";
import type { Answer } from "../http/answer.ts";
import { newPartnerToken } from "../ids.ts";
import { isObject, parseJson } from "../json.ts";
import { oauthError, ownSuccess } from "../messaging-api/answers/own-answer.ts";
import type { PartnerLogin } from "./partner-account.ts";

// 360dialog does not say how long its tokens live.
const TOKEN_LIVES_SECONDS = 3600;

/** The two ways in: the partner's API key, and a token for its user name and password. */
export class Login {
  readonly #partner: PartnerLogin;
  readonly #tokens = new Map<string, number>();

  constructor(partner: PartnerLogin) {
    this.#partner = partner;
  }

  /** `POST /token`. */
  issueToken(body: Buffer): Answer {
    const fields = parseJson(body);
    const { username, password } = isObject(fields) ? fields : {};
    if (username !== this.#partner.username || password !== this.#partner.password) {
      return oauthError(400, "invalid_grant", "Wrong email or password.");
    }
    const token = newPartnerToken();
    this.#tokens.set(token, Date.now() + TOKEN_LIVES_SECONDS * 1000);
    return ownSuccess({
      access_token: token,
      refresh_token: newPartnerToken(),
      token_type: "Bearer",
      expires_in: TOKEN_LIVES_SECONDS,
    });
  }

  admits(headers: IncomingHttpHeaders): boolean {
    const token = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
    return (
      headers["x-api-key"] === this.#partner.apiKey || (this.#tokens.get(token) ?? 0) > Date.now()
    );
  }
}
