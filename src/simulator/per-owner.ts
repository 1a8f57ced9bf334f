/** One thing for each number or each WABA, made when it is first asked for. */
export class PerOwner<Thing> {
  readonly #byId = new Map<string, Thing>();
  readonly #make: (ownerId: string) => Thing;

  constructor(make: (ownerId: string) => Thing) {
    this.#make = make;
  }

  of(ownerId: string): Thing {
    const thing = this.#byId.get(ownerId) ?? this.#make(ownerId);
    this.#byId.set(ownerId, thing);
    return thing;
  }
}
