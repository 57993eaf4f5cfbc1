// The encoders' page while templates are made from crops: how far that is, and the page anew after it.
import { JobSocket } from "../lib/job-socket.js";
import { watchLink } from "../lib/notices.js";

const work = document.getElementById("reencoding");
if (work) {
  const socket = new JobSocket(work.dataset.job);
  watchLink(socket);
  socket.addEventListener("state", ({ detail: job }) => {
    const meter = document.getElementById("meter");
    meter.style.setProperty("--done", job.total ? job.done / job.total : 0);
    meter.setAttribute("aria-valuenow", job.done);
    document.getElementById("done").textContent = `${job.done.toLocaleString("en")} of ${job.total.toLocaleString("en")}`;
    if (["done", "cancelled", "failed"].includes(job.status)) { socket.close(); location.reload(); }
  });
}
