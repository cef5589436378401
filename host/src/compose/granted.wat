;; wasi:filesystem/preopens without the provider's directory: the host's own list, less the first
;; entry of its name. A second one of the same name is the plugin's.
;;
;; Version 0.2.0 serves a plugin that imports any later 0.2: the interface has not changed. The
;; guest path of the scratch directory, `/tmp`, is `SCRATCH_GUEST_PATH` of compose.rs.
(component
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $host
    (alias outer 1 $descriptor (type $outer))
    (export "descriptor" (type $own (eq $outer)))
    (export "get-directories" (func (result (list (tuple (own $own) string)))))))

  ;; Where the host puts its list. It is used up by one call and starts again with the next.
  (core module $heap
    (memory (export "memory") 1)
    (global $next (export "next") (mut i32) (i32.const 0))
    (func (export "realloc")
      (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $start i32)
      (local $missing i32)
      ;; start = next rounded up to a multiple of align
      (local.set $start
        (i32.and
          (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $start) (local.get $size)))
      ;; grow by as many pages as are missing, or trap
      (local.set $missing
        (i32.sub
          (i32.shr_u (i32.add (global.get $next) (i32.const 65535)) (i32.const 16))
          (memory.size)))
      (if (i32.gt_s (local.get $missing) (i32.const 0))
        (then
          (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1))
            (then (unreachable)))))
      (local.get $start)))
  (core instance $heap (instantiate $heap))

  (core func $get (canon lower (func $host "get-directories")
    (memory (core memory $heap "memory")) (realloc (core func $heap "realloc"))))
  (core func $drop (canon resource.drop $descriptor))

  (core module $filter
    (import "heap" "memory" (memory 1))
    (import "heap" "next" (global $next (mut i32)))
    (import "host" "get-directories" (func $get (param i32)))
    (import "host" "drop" (func $drop (param i32)))

    ;; At 0 and 4: the address and the number of the list's entries. At 16: the name to leave out.
    ;; From 1024: the heap.
    (data (i32.const 16) "/tmp")

    (func $is-scratch (param $name i32) (param $length i32) (result i32)
      (local $i i32)
      (if (i32.ne (local.get $length) (i32.const 4))
        (then (return (i32.const 0))))
      (loop $next-byte
        (if (i32.eq (local.get $i) (local.get $length))
          (then (return (i32.const 1))))
        (if (i32.ne
              (i32.load8_u (i32.add (local.get $name) (local.get $i)))
              (i32.load8_u (i32.add (i32.const 16) (local.get $i))))
          (then (return (i32.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next-byte))
      (unreachable))

    ;; An entry is twelve bytes: the descriptor, the name's address, the name's length.
    (func (export "get-directories") (result i32)
      (local $from i32)
      (local $end i32)
      (local $to i32)
      (local $hidden i32)
      (global.set $next (i32.const 1024))
      (call $get (i32.const 0))
      (local.set $from (i32.load (i32.const 0)))
      (local.set $to (local.get $from))
      (local.set $end
        (i32.add (local.get $from) (i32.mul (i32.load (i32.const 4)) (i32.const 12))))
      (block $done
        (loop $next-entry
          (br_if $done (i32.eq (local.get $from) (local.get $end)))
          (if (i32.and
                (i32.eqz (local.get $hidden))
                (call $is-scratch
                  (i32.load offset=4 (local.get $from))
                  (i32.load offset=8 (local.get $from))))
            (then
              (local.set $hidden (i32.const 1))
              (call $drop (i32.load (local.get $from))))
            (else
              (i32.store (local.get $to) (i32.load (local.get $from)))
              (i32.store offset=4 (local.get $to) (i32.load offset=4 (local.get $from)))
              (i32.store offset=8 (local.get $to) (i32.load offset=8 (local.get $from)))
              (local.set $to (i32.add (local.get $to) (i32.const 12)))))
          (local.set $from (i32.add (local.get $from) (i32.const 12)))
          (br $next-entry)))
      (i32.store (i32.const 4)
        (i32.div_u (i32.sub (local.get $to) (i32.load (i32.const 0))) (i32.const 12)))
      (i32.const 0)))
  (core instance $filter (instantiate $filter
    (with "heap" (instance $heap))
    (with "host" (instance
      (export "get-directories" (func $get))
      (export "drop" (func $drop))))))

  (func $get-directories (result (list (tuple (own $descriptor) string)))
    (canon lift (core func $filter "get-directories") (memory (core memory $heap "memory"))))

  (instance $preopens
    (export "descriptor" (type $descriptor))
    (export "get-directories" (func $get-directories)))
  (export "wasi:filesystem/preopens@0.2.0" (instance $preopens)))
