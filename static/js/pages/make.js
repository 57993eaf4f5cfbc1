// The page that a sound, a signal, a volume or a clip is asked for on.
import "../lib/drop-zone.js";
import "../lib/play-buttons.js";
import { sayMeanings } from "../lib/ranges.js";
import { tieStarters } from "../lib/starters.js";

sayMeanings();
tieStarters();
