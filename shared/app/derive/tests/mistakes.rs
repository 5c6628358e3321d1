//! The likely mistakes of an author, each told by the compiler with what to write. What a type alone shows is told by
//! the traits of `cloud_app::field`, and tried in their documentation.

#[test]
fn the_compiler_says_what_to_write_instead() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
