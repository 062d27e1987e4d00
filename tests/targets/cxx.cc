// SPDX-License-Identifier: GPL-2.0-only
// Every form of new and delete; exceptions thrown through the allocator.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "target.h"

namespace app
{

struct alignas(64) aligned_thing {
	char data[128];
};

struct thing {
	char data[72];
	virtual ~thing()
	{
	}
};

SITE static void leak_new()
{
	target_sink = new thing;
	truth("app::leak_new;app::run;main", sizeof(thing), 1);
}

SITE static void leak_new_array()
{
	target_sink = new char[12345];
	truth("app::leak_new_array;app::run;main", 12345, 1);
}

SITE static void leak_new_nothrow()
{
	target_sink = new (std::nothrow) char[99];
	truth("app::leak_new_nothrow;app::run;main", 99, 1);
}

SITE static void leak_new_aligned()
{
	target_sink = new aligned_thing;
	truth("app::leak_new_aligned;app::run;main", sizeof(aligned_thing), 1);
}

template <typename T> struct cache {
	SITE static void fill(std::size_t n)
	{
		target_sink = new T[n];
		KEEP_FRAME();
	}
};

SITE static void leak_template()
{
	cache<std::uint64_t>::fill(100);
	truth("app::cache<unsigned long>::fill;"
	      "app::leak_template;app::run;main",
	      800, 1);
}

SITE static void balanced()
{
	for (int i = 0; i < 1000; i++) {
		delete OPAQUE(new thing);
		delete[] OPAQUE(new char[100]);
		delete OPAQUE(new aligned_thing);
		::operator delete(OPAQUE(::operator new(50)), std::size_t(50));
		::operator delete[](OPAQUE(::operator new[](50)), std::nothrow);
		delete OPAQUE(static_cast<thing *>(nullptr));
		std::string text(1000, 'x');
		std::vector<std::string> list(10, text);
		target_sink = list.data();
	}
}

// What cannot be had throws; the exception must pass whoever watches.
SITE static bool throws_bad_alloc(std::size_t size)
{
	try {
		target_sink = ::operator new(size);
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

SITE static bool throws_bad_alloc_array(std::size_t size)
{
	try {
		target_sink = new char[OPAQUE(size)];
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

SITE static void exceptions()
{
	for (int i = 0; i < 5; i++) {
		EXPECT(throws_bad_alloc(OPAQUE(std::size_t(1) << 60)));
		EXPECT(throws_bad_alloc_array(OPAQUE(std::size_t(1) << 60)));
	}
	EXPECT(!(::operator new(OPAQUE(std::size_t(1) << 60), std::nothrow)));
}

SITE static void run()
{
	leak_new();
	leak_new_array();
	leak_new_nothrow();
	leak_new_aligned();
	leak_template();
	balanced();
	KEEP_FRAME();
}

} // namespace app

int main(int argc, char **argv)
{
	// The unwinder allocates once, at the first throw.
	if (argc > 1)
		app::exceptions();
	target_ready();
	app::run();
	if (argc > 1)
		app::exceptions();
	return target_done();
}
