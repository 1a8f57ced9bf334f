import { loseNothing } from "../chaos/lose-nothing.ts";
import { SERVERS } from "../chaos/troubles.ts";

loseNothing("PostgreSQL, Redis and connections that break", SERVERS);
