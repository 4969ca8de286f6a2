#!/bin/sh
# The rustc of `cargo xtask fuzz` and `cargo xtask sanitize`: coverage counters in what is searched only. In other
# crates they teach the search nothing, and a few large functions of them take many minutes to compile with them. The
# functions of zstd's decoder are so large that AddressSanitizer's checks take as long where they are written out in
# them: there each check is a call.
case " $* " in
  *" --crate-name millstream"* | *" --crate-name lz4_flex "* | *" --crate-name snap "* | *" --crate-name zlib_rs "* | \
  *" --crate-name crc32c "* | *" --crate-name chrono_tz "*) exec "$@" ;;
esac
zstd=no
case " $* " in *" --crate-name structured_zstd "*) zstd=yes ;; esac
for argument; do
  shift
  case "$argument" in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage*) ;;
    -Zsanitizer=address)
      set -- "$@" "$argument"
      [ $zstd = no ] || set -- "$@" -Cllvm-args=-asan-instrumentation-with-call-threshold=0
      ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "$@"
