// What every page needs; base.html loads it.
import { start as startFocus } from "./focus.js";
import { start as startRequests } from "./requests.js";

startFocus();
startRequests();
