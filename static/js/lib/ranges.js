// Sliders that say in words what their place means: the list comes as JSON in #meanings,
// {name: [{below, words}]}.

/** Let every slider named there say its meaning into its <output>, and to a screen reader. */
export function sayMeanings() {
  const meanings = JSON.parse(document.getElementById("meanings").textContent);
  for (const [name, steps] of Object.entries(meanings)) {
    const slider = document.getElementById(`id_${name}`);
    const place = document.getElementById(`${name}-meaning`);
    const say = () => {
      const { words } = steps.find(({ below }) => Number(slider.value) < below);
      place.textContent = words;
      slider.setAttribute("aria-valuetext", words);
    };
    slider.addEventListener("input", say);
    say();
  }
}
