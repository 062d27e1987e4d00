/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbol/name.h"
#include "symbol/symbolizer.h"

struct pair {
	const char *mangled;
	const char *shown;
};

static void check(const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *shown = symbol_demangle(pairs[i].mangled);

		assert_non_null(shown);
		assert_string_equal(shown, pairs[i].shown);
		free(shown);
	}
}

#define CHECK(pairs) check(pairs, sizeof(pairs) / sizeof((pairs)[0]))

static void cpp_names_keep_scopes_and_template_arguments(void **state)
{
	static const struct pair pairs[] = {
		{"_Znwm", "operator new"},
		{"_ZdaPv", "operator delete[]"},
		{"_ZN3FooC1Ev", "Foo::Foo"},
		{"_ZN3FooD0Ev", "Foo::~Foo"},
		{"_ZNSt6vectorIiSaIiEE9push_backEOi",
		 "std::vector<int, std::allocator<int> >::push_back"},
		{"_ZNK3ns13BarIcE3bazILi3EEEvT_", "ns1::Bar<char>::baz<3>"},
		{"_ZN12_GLOBAL__N_16hiddenEv", "(anonymous namespace)::hidden"},
		{"_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()"},
		{"_ZTv0_n24_N1A1fEv", "virtual thunk to A::f()"},
		{"_ZN1AcviEv", "A::operator int"},
	};

	CHECK(pairs);
}

static void cpp_clone_suffixes_are_dropped(void **state)
{
	static const struct pair pairs[] = {
		{"_ZN2ns4workEi.part.0", "ns::work"},
		{"_ZN2ns4workEi.isra.0.cold", "ns::work"},
	};

	CHECK(pairs);
}

static void rust_legacy_names_lose_their_hash(void **state)
{
	static const struct pair pairs[] = {
		{"_ZN4core3ptr13drop_in_place17h0123456789abcdefE",
		 "core::ptr::drop_in_place"},
		{"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo.."
		 "Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
		 "<Test + 'static as foo::Bar<Test>>::bar"},
		{"_ZN5alloc5alloc15exchange_malloc17h0123456789abcdefE"
		 ".llvm.1234567890",
		 "alloc::alloc::exchange_malloc"},
	};

	CHECK(pairs);
}

static void rust_v0_names_lose_their_disambiguators(void **state)
{
	static const struct pair pairs[] = {
		{"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
		{"_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>"},
		{"_RNvMCs4fqI2P2rA04_13const_genericINtB2_3FooKpE3foo",
		 "<const_generic::Foo<_>>::foo"},
		{"_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_",
		 "cc::spawn::{closure#0}::{closure#0}"},
	};

	CHECK(pairs);
}

static void d_names_are_demangled_without_parameters(void **state)
{
	static const struct pair pairs[] = {
		{"_D3std5stdio7writelnFZv", "std.stdio.writeln"},
		{"_Dmain", "D main"},
	};

	CHECK(pairs);
}

static void other_names_stay_as_they_are(void **state)
{
	static const struct pair pairs[] = {
		{"main", "main"},
		{"_DYNAMIC", "_DYNAMIC"},
		{"_Znot_mangled", "_Znot_mangled"},
		{"_R", "_R"},
		{"_Z", "_Z"},
		{"foo.part.0", "foo.part.0"},
		{"a;b<script>", "a;b<script>"},
		{"", ""},
	};

	CHECK(pairs);
}

static void what_a_terminal_obeys_is_replaced(void **state)
{
	static const struct pair pairs[] = {
		{"red\033[31m", "red?[31m"},
		{"two\nlines\r", "two?lines?"},
		{"del\177", "del?"},
		{"c1\302\233x", "c1?x"},
		{"rtl\342\200\256txt", "rtl?txt"},
		{"bad\377utf", "bad?utf"},
		{"long\300\200", "long??"},
		{"surrogate\355\240\200", "surrogate???"},
		{"cut\303", "cut?"},
		{"\303\244\342\202\254\360\237\230\200",
		 "\303\244\342\202\254\360\237\230\200"},
	};

	CHECK(pairs);
}

static void long_names_are_bounded(void **state)
{
	static const size_t sizes[] = {4000, 8193, 70000, 1000000};

	for (size_t i = 0; i < 4; i++) {
		char *name = malloc(sizes[i] + 1), *shown;

		memset(name, 'n', sizes[i]);
		memcpy(name, "_Z", 2);
		name[sizes[i]] = '\0';
		shown = symbol_demangle(name);
		assert_true(strlen(shown) < 65536);
		assert_true(strlen(shown) >= 4000);
		free(shown);
		free(name);
	}
}

static void check_cut_off(const char *name)
{
	char *shown = symbol_demangle(name);

	/* It was expanded, and not to its 2^40 characters. */
	assert_in_range(strlen(shown), 60000, 65535);
	free(shown);
}

/* f<A<int, int>, A<that, that>, A<that, that>, ...>: each argument is twice
 * as long as the one before. */
static void exponential_cpp_names_are_cut_off(void **state)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[1024] = "_Z1fI1AIiiE";

	for (int i = 1; i < 35; i++) {
		char part[32];

		snprintf(part, sizeof(part), "S0_IS%c_S%c_E", digits[i],
			 digits[i]);
		strcat(name, part);
	}
	strcat(name, "Evv");
	check_cut_off(name);
}

/* a::<(i32, i32), (that, that), ...> by back references. */
static void exponential_rust_names_are_cut_off(void **state)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[1024] = "_RIC1aTllE";
	size_t before = 4; /* where the last tuple is, counted behind _R */

	for (int i = 0; i < 40; i++) {
		char reference[8], part[32];
		size_t here = strlen(name) - 2;

		/* Base 62, one less, "_" ends it (Rust RFC 2603). */
		if (before - 1 < 62)
			snprintf(reference, sizeof(reference), "B%c_",
				 digits[before - 1]);
		else
			snprintf(reference, sizeof(reference), "B%c%c_",
				 digits[(before - 1) / 62],
				 digits[(before - 1) % 62]);
		snprintf(part, sizeof(part), "T%s%sE", reference, reference);
		strcat(name, part);
		before = here;
	}
	strcat(name, "E");
	check_cut_off(name);
}

static void deep_nesting_does_not_exhaust_the_stack(void **state)
{
	static const char *const units[] = {"P", "IL", "N1a", "FvP", "T", "S"};

	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		char name[8200] = "_Z1f";
		char *shown;

		while (strlen(name) + strlen(units[u]) < 8000)
			strcat(name, units[u]);
		shown = symbol_demangle(name);
		assert_non_null(shown);
		free(shown);
		memcpy(name, "_RI", 3);
		shown = symbol_demangle(name);
		assert_non_null(shown);
		free(shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpp_names_keep_scopes_and_template_arguments),
		cmocka_unit_test(cpp_clone_suffixes_are_dropped),
		cmocka_unit_test(rust_legacy_names_lose_their_hash),
		cmocka_unit_test(rust_v0_names_lose_their_disambiguators),
		cmocka_unit_test(d_names_are_demangled_without_parameters),
		cmocka_unit_test(other_names_stay_as_they_are),
		cmocka_unit_test(what_a_terminal_obeys_is_replaced),
		cmocka_unit_test(long_names_are_bounded),
		cmocka_unit_test(exponential_cpp_names_are_cut_off),
		cmocka_unit_test(exponential_rust_names_are_cut_off),
		cmocka_unit_test(deep_nesting_does_not_exhaust_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
