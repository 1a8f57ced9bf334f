import { loseNothing } from "../chaos/lose-nothing.ts";
import { SURROUNDINGS } from "../chaos/troubles.ts";

loseNothing("clocks, names and receivers", SURROUNDINGS);
