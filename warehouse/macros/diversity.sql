{# Diversity of the kinds that an entity holds, from rows (entity, kind, weight) grouped by
   entity. p is a kind's share of the weight, a whole number or a decimal; kinds without weight
   must be left out before. What comes out of a logarithm is rounded to 12 places, for its last
   bits differ between machines.

   Sources: C. E. Shannon (1948), A mathematical theory of communication; E. H. Simpson (1949),
   Measurement of diversity; E. C. Pielou (1966), The measurement of diversity in different
   types of biological collections; M. O. Hill (1973), Diversity and evenness; A. O. Hirschman
   (1964), The paternity of an index. #}

{# Richness: how many kinds. #}
{% macro richness(weight) -%}
    count({{ weight }})
{%- endmacro %}

{# What the measures are made of, one sum each: they can be kept and added to. `log_weight` is
   sum(w ln w) as a decimal, for decimals add up to the same in any order. #}
{% macro log_weight(weight) -%}
    sum(cast({{ weight }} * ln({{ weight }}) as decimal(32, 15)))
{%- endmacro %}

{# -sum(p ln p) as ln(W) - sum(w ln w) / W, which needs one pass. #}
{% macro entropy_of_sums(total, log_weight) -%}
    ln({{ total }}) - cast({{ log_weight }} as double) / {{ total }}
{%- endmacro %}

{# Shannon entropy in nats: -sum(p ln p), 0 for one kind, ln(richness) for equal shares. #}
{% macro shannon_of_sums(total, log_weight) -%}
    greatest(round({{ entropy_of_sums(total, log_weight) }}, 12), 0)
{%- endmacro %}

{% macro shannon_entropy(weight) -%}
    {{ shannon_of_sums('sum(' ~ weight ~ ')', log_weight(weight)) }}
{%- endmacro %}

{# Effective number of kinds: exp(Shannon entropy), the number of equally common kinds that
   would give the same entropy (Hill number of order 1). #}
{% macro effective_count_of_sums(total, log_weight) -%}
    greatest(round(exp({{ entropy_of_sums(total, log_weight) }}), 12), 1)
{%- endmacro %}

{% macro effective_count(weight) -%}
    {{ effective_count_of_sums('sum(' ~ weight ~ ')', log_weight(weight)) }}
{%- endmacro %}

{# Pielou evenness: entropy / ln(richness), 1 for equal shares; null for a single kind, whose
   evenness would be 0 / 0. #}
{% macro evenness_of_sums(kinds, total, log_weight) -%}
    case
            when {{ kinds }} > 1
                then least(round(({{ entropy_of_sums(total, log_weight) }}) / ln({{ kinds }}), 12), 1)
        end
{%- endmacro %}

{# Gini-Simpson index: 1 - sum(p^2), the chance that two draws give different kinds. #}
{% macro simpson_of_sums(total, squares) -%}
    cast({{ total }} * {{ total }} - {{ squares }} as double)
        / (cast({{ total }} as double) * cast({{ total }} as double))
{%- endmacro %}

{# Herfindahl-Hirschman index: sum(p^2), 1 for one kind, 1 / richness for equal shares. #}
{% macro herfindahl_of_sums(total, squares) -%}
    cast({{ squares }} as double) / (cast({{ total }} as double) * cast({{ total }} as double))
{%- endmacro %}

{% macro herfindahl(weight) -%}
    {{ herfindahl_of_sums('sum(' ~ weight ~ ')', 'sum(' ~ weight ~ ' * ' ~ weight ~ ')') }}
{%- endmacro %}
