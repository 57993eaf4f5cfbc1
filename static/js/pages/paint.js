// The paint page: the slider's meaning, and a starter that takes its place in the drop zone.
import "../lib/drop-zone.js";
import { sayMeanings } from "../lib/ranges.js";
import { tieStarters } from "../lib/starters.js";

sayMeanings();
tieStarters();
