import { loseNothing } from "../chaos/lose-nothing.ts";
import { KILLS } from "../chaos/troubles.ts";

loseNothing("kills at every step", KILLS);
