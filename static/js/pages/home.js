// The front page's picture: a slider lies over it and moves the cut between photo and painting.
const compare = document.querySelector(".compare");
const slider = compare.querySelector("input");
const cut = () => compare.style.setProperty("--cut", slider.value);

slider.hidden = false;
slider.addEventListener("input", cut);
cut();
