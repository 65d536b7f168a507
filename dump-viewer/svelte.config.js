import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {Map<string, string>} */
const components = new Map();

/**
 * The class by which a component's styles know its elements. It stands hundreds of times in what is downloaded, so it is short.
 * @param {{ filename: string, hash: (text: string) => string }} component
 */
function cssHash({ filename, hash }) {
  // The same on every machine.
  const component = filename.slice(filename.lastIndexOf('src/'));
  const name = `s${hash(component).slice(0, 3)}`;
  const other = components.get(name) ?? component;
  if (other !== component) throw new Error(`the styles of ${component} and ${other} would have one class: make it longer`);
  components.set(name, component);
  return name;
}

export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true, cssHash },
};
