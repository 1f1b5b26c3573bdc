import { get } from "./api.js";

/** Every customer's cabinet in the cloud as the page knows it, kept true by the events. */
export class Cabinets {
  zones = [];
  #projects = new Map();
  #asking = new Map();
  #live = false;

  constructor(world) {
    this.world = world;
    world.onEvent((event) => this.#apply(event));
    world.onChange(() => this.#line());
  }

  all() {
    return [...this.#projects.values()];
  }

  #line() {
    if (this.world.live && !this.#live) this.#load();
    this.#live = this.world.live;
  }

  async #load() {
    try {
      const { zones, projects } = await get("/cloud");
      this.zones = zones;
      this.#projects = new Map(projects.map((project) => [project.id, project]));
    } catch {
      // The line is down again; its return asks once more.
      return;
    }
    this.world.changed();
  }

  /** One answer at a time: a cabinet that changes while it is read is read once more afterwards. */
  async #ask(id) {
    if (this.#asking.has(id)) {
      this.#asking.set(id, true);
      return;
    }
    this.#asking.set(id, false);
    try {
      this.#projects.set(id, await get(`/cloud/projects/${id}`));
    } catch {
      this.#projects.delete(id);
    }
    const again = this.#asking.get(id);
    this.#asking.delete(id);
    this.world.changed();
    if (again) this.#ask(id);
  }

  #apply({ type, project }) {
    if (type === "reset") this.#projects.clear();
    else if (type === "cloud" && !this.zones.length) this.#load();
    else if (type === "cloud") this.#ask(project);
  }
}
