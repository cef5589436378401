// Providers that are wrong in one way: the suite has to fail with each. ../controls.toml says which
// cases notice it; with `none`, a correct provider, those pass.

/** The interfaces of a provider, by the names under which the suite imports them. */
const interfaces = (provider, tempfile = {}, ledger = {}) => ({
  "scratch:tempfile/tempfile": { ...provider.tempfile, ...tempfile },
  "scratch:tempfile/ledger": { ...provider.ledger, ...ledger },
  "scratch:tempfile-wasi/descriptors": provider.descriptors,
});

/** Each fault, by its name: from an instance of the provider to what the suite gets. */
export const FAULTS = {
  none: (provider) => interfaces(provider),

  "close-leaves-the-name"(provider) {
    provider.tempfile.TempPath.prototype.close = () => {};
    return interfaces(provider);
  },

  "drop-leaves-the-name"(provider) {
    const named = (options, location) => {
      const [file, path] = provider.tempfile.named(options, location);
      path[Symbol.dispose ?? Symbol.for("dispose")] = () => {};
      return [file, path];
    };
    return interfaces(provider, { named });
  },

  "creation-is-not-exclusive"(provider, imports) {
    const named = (options, location) => {
      const [[scratch]] = imports["wasi:filesystem/preopens"].getDirectories();
      try {
        scratch.unlinkFileAt(`${options.prefix}${options.suffix}`);
      } catch {
        // The name was free.
      }
      return provider.tempfile.named(options, location);
    };
    return interfaces(provider, { named });
  },

  "names-are-predictable"(provider) {
    const named = (options, location) =>
      provider.tempfile.named({ ...options, randomChars: options.randomChars ?? 0 }, location);
    return interfaces(provider, { named });
  },

  "no-clobber-overwrites"(provider) {
    const { persist } = provider.tempfile.TempPath.prototype;
    provider.tempfile.TempPath.prototype.persist = function (target, mode, durability) {
      return persist.call(this, target, "overwrite", durability);
    };
    return interfaces(provider);
  },

  "the-ledger-is-empty"(provider) {
    return interfaces(provider, {}, { liveHandles: () => [] });
  },
};
